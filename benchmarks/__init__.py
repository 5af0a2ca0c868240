"""Speed and size of Podium, beside a plain sqlite3 loop of the same run and beside peers where installed."""
