"""What runs inside a training script: the run's handle, its spool, and the thread that ingests it."""
