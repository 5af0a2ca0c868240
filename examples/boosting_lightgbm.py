"""Boost trees with LightGBM until the held-back patients no longer gain.

    pip install lightgbm
    python examples/boosting_lightgbm.py --rounds 200 --lr 0.1

The data ships with scikit-learn. A run takes a second.
"""

import argparse

import lightgbm
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split

import tracking
from tracking.integrations.lightgbm import LightGBMCallback


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=100, help="trees at most")
    parser.add_argument("--lr", type=float, default=0.2, help="learning rate")
    parser.add_argument("--leaves", type=int, default=15, help="leaves of a tree")
    parser.add_argument("--seed", type=int, default=0, help="seed of the split and the trees")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    features, labels = load_breast_cancer(return_X_y=True)
    train, val, train_labels, val_labels = train_test_split(features, labels, random_state=args.seed)
    params = {
        "objective": "binary",
        "metric": ["binary_logloss", "auc"],
        "learning_rate": args.lr,
        "num_leaves": args.leaves,
        "seed": args.seed,
        "verbose": -1,
    }

    with tracking.start_run("tumours", params=vars(args), tags=["lightgbm"]) as run:
        train_set = lightgbm.Dataset(train, train_labels)
        val_set = lightgbm.Dataset(val, val_labels, reference=train_set)
        callback = LightGBMCallback()
        booster = lightgbm.train(
            params,
            train_set,
            args.rounds,
            valid_sets=[train_set, val_set],
            valid_names=["train", "val"],
            callbacks=[lightgbm.early_stopping(10, verbose=False), callback],
        )
        callback.log_best(booster)
        print(f"{run.id}: AUC {booster.best_score['val']['auc']:.4f} after {booster.best_iteration} trees")


if __name__ == "__main__":
    main()
