"""What can be tuned in a project: found and described by reading its source, never by running it.

`discovery` lists a project's targets, `command` builds the command line of a trial, `checks` holds a definition
against its target, `ranges` makes a first search space, `probe` asks one script that cannot be read.
"""
