"""What live processes have said and the database may not have yet.

Three files per session, named `<run>.<session>`, in the store's `spool/`:

    .spool   the records, in order (`tracking.spool.format`)
    .lock    held with flock by the process while it lives (`tracking.spool.lock`)
    .last    a small reserve, written only when the disk had no room for the end
"""
