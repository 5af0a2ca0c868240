"""Train a small Keras network on points of two moons.

    pip install keras jax            # or tensorflow, or torch, as Keras's backend
    KERAS_BACKEND=jax python examples/network_keras.py --epochs 20

The data is made up. A run takes a few seconds.
"""

import argparse

import keras
import numpy as np

from tracking.integrations.keras import KerasCallback


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=20, help="passes over the points")
    parser.add_argument("--lr", type=float, default=0.01, help="learning rate")
    parser.add_argument("--width", type=int, default=16, help="units of the hidden layer")
    parser.add_argument("--seed", type=int, default=0, help="seed of points and weights")
    return parser.parse_args()


def moons(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    labels = draw.integers(0, 2, count)
    angle = np.pi * draw.random(count) + np.pi * labels
    points = np.stack([np.cos(angle) + labels, np.sin(angle) + labels / 2], axis=1)
    return (points + draw.normal(0, 0.1, points.shape)).astype("float32"), labels.astype("float32")


def main() -> None:
    args = parse_args()
    keras.utils.set_random_seed(args.seed)
    points, labels = moons(800, args.seed)
    model = keras.Sequential(
        [keras.layers.Dense(args.width, activation="relu"), keras.layers.Dense(1, activation="sigmoid")]
    )
    model.compile(keras.optimizers.Adam(args.lr), loss="binary_crossentropy", metrics=["accuracy"])
    callback = KerasCallback("moons", tags=["keras"], total_steps=args.epochs)
    model.fit(points, labels, epochs=args.epochs, validation_split=0.25, verbose=0, callbacks=[callback])
    print("trained; look at it with: make run")


if __name__ == "__main__":
    main()
