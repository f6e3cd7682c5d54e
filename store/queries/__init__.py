"""Questions: contract query to select to contract records. Nothing here changes a row."""
