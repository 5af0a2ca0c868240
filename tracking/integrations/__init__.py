"""Podium inside other libraries: each file speaks for one of them, over the public client alone.

    sklearn        log_search: what a GridSearchCV or RandomizedSearchCV tried, a child run each
    xgboost        XGBoostCallback for xgboost.train, cv and the estimators
    lightgbm       LightGBMCallback for lightgbm.train, cv and the estimators
    lightning      LightningLogger for Trainer(logger=…)
    transformers   TransformersCallback for Trainer(callbacks=[…])
    keras          KerasCallback for model.fit(callbacks=[…])

Nothing here is imported by `import tracking`, and each file imports its own library only.
"""
