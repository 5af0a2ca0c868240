"""Running a sweep: a supervisor, its workers, and one process for each evaluation of a trial."""
