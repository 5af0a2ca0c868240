"""Train on handwritten digits and log more than numbers: pictures, tables, curves and the data itself.

    python examples/rich_types.py --epochs 12 --hidden 32

The data ships with scikit-learn. A run takes a few seconds; look at its page in the dashboard.
"""

import argparse

import numpy as np
import pandas as pd
import plotly.express as px
from sklearn.datasets import load_digits
from sklearn.metrics import classification_report, log_loss
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

import tracking


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=12, help="passes over the training images")
    parser.add_argument("--lr", type=float, default=0.003, help="learning rate")
    parser.add_argument("--hidden", type=int, default=32, help="units in the hidden layer")
    parser.add_argument("--seed", type=int, default=0, help="seed of the weights and the split")
    return parser.parse_args()


def mosaic(tiles: np.ndarray, columns: int = 8, scale: int = 6) -> np.ndarray:
    """Return tiles of shape (n, 8, 8), each stretched to its own range, side by side as one image from 0 to 1."""
    rows = -(-len(tiles) // columns)
    low, high = tiles.min(axis=(1, 2), keepdims=True), tiles.max(axis=(1, 2), keepdims=True)
    sheet = np.ones((rows * columns, 10, 10))
    sheet[: len(tiles), 1:9, 1:9] = (tiles - low) / np.maximum(high - low, 1e-9)
    image = sheet.reshape(rows, columns, 10, 10).swapaxes(1, 2).reshape(rows * 10, columns * 10)
    return image.repeat(scale, axis=0).repeat(scale, axis=1)


def main() -> None:
    args = parse_args()
    images, labels = load_digits(return_X_y=True)
    train, val, train_labels, val_labels = train_test_split(
        images / 16, labels, test_size=0.3, stratify=labels, random_state=args.seed
    )
    model = MLPClassifier((args.hidden,), learning_rate_init=args.lr, random_state=args.seed)

    with tracking.start_run(
        "digits-rich", params=vars(args), tags=["sklearn"], total_steps=args.epochs
    ) as run:
        run.define_metric("val_accuracy", goal="maximize")
        # Which data this is, by content: another run on the same split uses the same two datasets.
        pixels = [f"pixel_{row}_{column}" for row in range(8) for column in range(8)]
        for name, values, digits in (("train", train, train_labels), ("validation", val, val_labels)):
            frame = pd.DataFrame(values, columns=pixels).assign(digit=digits)
            run.log_dataset(frame, name, source="sklearn.datasets.load_digits")

        for epoch in range(1, args.epochs + 1):
            model.partial_fit(train, train_labels, classes=range(10))
            chances = model.predict_proba(val)
            taken = chances.argmax(axis=1)
            accuracy = (taken == val_labels).mean()
            run.log(
                {"loss": model.loss_, "val_loss": log_loss(val_labels, chances), "val_accuracy": accuracy},
                step=epoch,
            )
            # A step lets a picture be followed over the training.
            run.log_image(mosaic(model.coefs_[0].T.reshape(-1, 8, 8)), "weights", step=epoch)
            run.log_confusion_matrix(val_labels, taken, "confusion", labels=range(10), step=epoch)

        run.log_roc_curve(val_labels, chances, "roc")
        run.log_pr_curve(val_labels, chances, "precision-recall")
        wrong = np.flatnonzero(taken != val_labels)
        wrong = wrong[np.argsort(-chances[wrong].max(axis=1))]
        errors = pd.DataFrame(
            {
                "example": wrong,
                "digit": val_labels[wrong],
                "taken for": taken[wrong],
                "confidence": chances[wrong].max(axis=1).round(4),
            }
        )
        run.log_table(errors, "errors/table")
        if len(wrong):
            run.log_image(mosaic(val[wrong[:64]].reshape(-1, 8, 8)), "errors/images")
        share = pd.Series(taken == val_labels).groupby(val_labels).mean()
        run.log_figure(
            px.bar(x=share.index.astype(str), y=share, labels={"x": "digit", "y": "share read right"}),
            "accuracy by digit",
        )
        report = classification_report(val_labels, taken, output_dict=True, zero_division=0)
        run.log_json(report, "report")
        run.log_text(f"{len(wrong)} of {len(val)} images were misread.\n", "summary.txt")
        print(f"{run.id}: {len(wrong)} of {len(val)} images misread; see the run's page")


if __name__ == "__main__":
    main()
