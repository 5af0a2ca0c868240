"""Fit a linear model by gradient descent with nothing but numpy.

    python examples/numpy_regression.py --lr 0.1 --noise 0.5

The data is made up from a known model, so the distance to the truth is a metric too.
"""

import argparse

import numpy as np

import tracking


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=200, help="passes over the samples")
    parser.add_argument("--lr", type=float, default=0.05, help="learning rate")
    parser.add_argument("--momentum", type=float, default=0.9, help="share of the last step that is kept")
    parser.add_argument("--samples", type=int, default=2000, help="number of samples")
    parser.add_argument("--features", type=int, default=20, help="number of features")
    parser.add_argument("--noise", type=float, default=0.3, help="standard deviation of the noise")
    parser.add_argument("--batch-size", type=int, default=64, help="samples in one step")
    parser.add_argument("--seed", type=int, default=0, help="seed of the data and the order")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    rng = np.random.default_rng(args.seed)
    truth = rng.normal(size=args.features)
    inputs = rng.normal(size=(args.samples, args.features))
    targets = inputs @ truth + args.noise * rng.normal(size=args.samples)
    held_back = args.samples // 5
    val_inputs, val_targets = inputs[:held_back], targets[:held_back]
    inputs, targets = inputs[held_back:], targets[held_back:]

    weights = np.zeros(args.features)
    velocity = np.zeros(args.features)
    with tracking.start_run("regression", params=vars(args), tags=["numpy"], total_steps=args.epochs) as run:
        run.define_metric("val_loss", goal="minimize")
        for epoch in range(1, args.epochs + 1):
            order = rng.permutation(len(inputs))
            for start in range(0, len(order), args.batch_size):
                batch = order[start : start + args.batch_size]
                error = inputs[batch] @ weights - targets[batch]
                gradient = 2 * inputs[batch].T @ error / len(batch)
                velocity = args.momentum * velocity - args.lr * (1 - args.momentum) * gradient
                weights = weights + velocity
            run.log(
                {
                    "loss": np.mean((inputs @ weights - targets) ** 2),
                    "val_loss": np.mean((val_inputs @ weights - val_targets) ** 2),
                    "distance": np.linalg.norm(weights - truth),
                },
                step=epoch,
            )
        print(f"{run.id}: distance to the truth {np.linalg.norm(weights - truth):.4f}")


if __name__ == "__main__":
    main()
