"""A believable world on demand, and simulated workers that take, fail and complete its tasks."""
