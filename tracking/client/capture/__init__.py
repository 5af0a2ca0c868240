"""What is recorded around a run without being asked: code, environment, machine, console."""
