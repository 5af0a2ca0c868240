"""Promote a model on evidence: two configurations, five seeds each, gates, a refusal and a way back.

    python examples/promote_digits.py --seeds 5

The data ships with scikit-learn. It takes a few seconds, and leaves a model that
`python -m tracking models show digits` shows.
"""

import argparse

from sklearn.base import ClassifierMixin
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import tracking

MODELS = {"bayes": GaussianNB, "svm": SVC}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5, help="runs of each configuration")
    parser.add_argument("--images", type=int, default=1797, help="images to split and train with")
    return parser.parse_args()


def train(kind: str, seed: int, images: int) -> str:
    """Train one configuration on the split of one seed; return the run's id."""
    inputs, labels = load_digits(return_X_y=True)
    train, test, train_labels, test_labels = train_test_split(
        inputs[:images] / 16, labels[:images], test_size=0.3, random_state=seed
    )
    estimator: ClassifierMixin = MODELS[kind]()
    model = make_pipeline(StandardScaler(), estimator).fit(train, train_labels)
    with tracking.start_run("digits-promoted", params={"model": kind, "seed": seed}, capture=False) as run:
        run.define_metric("accuracy", goal="maximize")
        run.log_dataset(inputs[:images], "digits")
        run.log({"accuracy": model.score(test, test_labels)})
        run.log_model(model, "model", input_example=test[:5])
    return run.id


def main() -> None:
    args = parse_args()
    with tracking.open_store() as store:
        # A first champion: there is nothing to beat yet.
        runs = [train("bayes", seed, args.images) for seed in range(args.seeds)]
        first = store.register("digits", runs[0], description="Naive Bayes")
        gates = ["accuracy >= 0.7", f"repeats >= {args.seeds}", "better(accuracy, margin=0.01)", "same data"]
        store.set_gates("digits", gates, reason="what production needs")
        store.promote("digits", first.number, reason="the first one")

        # One run of another configuration looks better. One run is no evidence.
        runs = [train("svm", 0, args.images)]
        second = store.register("digits", runs[0], description="Support vectors")
        try:
            store.promote("digits", second.number)
        except tracking.PromotionRefused as refused:
            print(refused)

        # Five runs of it on the same splits are compared pair by pair.
        runs += [train("svm", seed, args.images) for seed in range(1, args.seeds)]
        entry = store.promote("digits", second.number, reason="better on every split")
        print(entry.evidence["sentence"])

        # Whatever came up in production: back to the one before, and forward again.
        back = store.rollback("digits", reason="slower than the service allows")
        print(f"version {back.previous} gave way to version {back.version} again")
        store.promote("digits", second.number, reason="the service has a faster machine")

        for entry in store.journal("digits"):
            print(entry.position, entry.kind, entry.version, entry.reason)
        print(tracking.load_model("digits@champion"))


if __name__ == "__main__":
    main()
