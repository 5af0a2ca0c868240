"""Train a scikit-learn network to read handwritten digits, one epoch at a time.

    python examples/digits_sklearn.py --epochs 30 --lr 0.003 --hidden 128

The data ships with scikit-learn. A run takes a few seconds.
"""

import argparse

from sklearn.datasets import load_digits
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import tracking


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=30, help="passes over the training images")
    parser.add_argument("--lr", type=float, default=0.002, help="learning rate")
    parser.add_argument("--hidden", type=int, default=64, help="units in the hidden layer")
    parser.add_argument("--batch-size", type=int, default=32, help="images in one step of the optimiser")
    parser.add_argument("--l2", type=float, default=0.0001, help="strength of the L2 penalty")
    parser.add_argument("--solver", choices=["adam", "sgd"], default="adam", help="optimiser")
    parser.add_argument("--seed", type=int, default=0, help="seed of the weights and the split")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    images, labels = load_digits(return_X_y=True)
    train, val, train_labels, val_labels = train_test_split(
        images / 16, labels, test_size=0.3, stratify=labels, random_state=args.seed
    )
    model = MLPClassifier(
        hidden_layer_sizes=(args.hidden,),
        learning_rate_init=args.lr,
        batch_size=args.batch_size,
        alpha=args.l2,
        solver=args.solver,
        random_state=args.seed,
    )

    with tracking.start_run("digits", params=vars(args), tags=["sklearn"], total_steps=args.epochs) as run:
        run.define_metric("val_accuracy", goal="maximize")
        for epoch in range(1, args.epochs + 1):
            model.partial_fit(train, train_labels, classes=range(10))
            chances = model.predict_proba(val)
            run.log(
                {
                    "loss": model.loss_,
                    "accuracy": model.score(train, train_labels),
                    "val_loss": log_loss(val_labels, chances),
                    "val_accuracy": (chances.argmax(axis=1) == val_labels).mean(),
                },
                step=epoch,
            )
        print(f"{run.id}: accuracy {model.score(val, val_labels):.3f} on {len(val)} images held back")


if __name__ == "__main__":
    main()
