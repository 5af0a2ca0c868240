"""Boost trees with XGBoost until the held-back patients no longer gain.

    pip install xgboost
    python examples/boosting_xgboost.py --rounds 200 --lr 0.1

The data ships with scikit-learn. A run takes a second.
"""

import argparse

import xgboost
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import tracking
from tracking.integrations.xgboost import XGBoostCallback


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=100, help="trees at most")
    parser.add_argument("--lr", type=float, default=0.2, help="learning rate")
    parser.add_argument("--depth", type=int, default=3, help="depth of a tree")
    parser.add_argument("--seed", type=int, default=0, help="seed of the split and the trees")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    features, labels = load_breast_cancer(return_X_y=True)
    train, val, train_labels, val_labels = train_test_split(features, labels, random_state=args.seed)
    params = {
        "objective": "binary:logistic",
        "eval_metric": ["logloss", "auc"],
        "eta": args.lr,
        "max_depth": args.depth,
        "seed": args.seed,
    }

    with tracking.start_run("tumours", params=vars(args), tags=["xgboost"]) as run:
        sets = [(xgboost.DMatrix(train, train_labels), "train"), (xgboost.DMatrix(val, val_labels), "val")]
        booster = xgboost.train(
            params,
            sets[0][0],
            args.rounds,
            evals=sets,
            early_stopping_rounds=10,
            verbose_eval=False,
            callbacks=[XGBoostCallback()],
        )
        print(f"{run.id}: AUC {booster.best_score:.4f} after {booster.best_iteration + 1} trees")


if __name__ == "__main__":
    main()
