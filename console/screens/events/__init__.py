"""What has been said to the operator."""
