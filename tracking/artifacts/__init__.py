"""Files that runs carry: stored once by content, verified on read, never executed."""
