"""Pure computations on series, params and groups: no store, no drawing."""
