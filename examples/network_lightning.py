"""Train a small Lightning module on a curve, and test it.

    pip install lightning
    python examples/network_lightning.py --epochs 20

The data is made up. A run takes a few seconds.
"""

import argparse
import logging
import warnings

import lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from tracking.integrations.lightning import LightningLogger


class Curve(lightning.LightningModule):
    def __init__(self, width: int, lr: float) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = torch.nn.Sequential(
            torch.nn.Linear(1, width), torch.nn.Tanh(), torch.nn.Linear(width, 1)
        )

    def loss(self, batch: list[torch.Tensor]) -> torch.Tensor:
        return torch.nn.functional.mse_loss(self.network(batch[0]), batch[1])

    def training_step(self, batch: list[torch.Tensor], index: int) -> torch.Tensor:
        loss = self.loss(batch)
        self.log("train/loss", loss)
        return loss

    def validation_step(self, batch: list[torch.Tensor], index: int) -> None:
        self.log("val/loss", self.loss(batch))

    def test_step(self, batch: list[torch.Tensor], index: int) -> None:
        self.log("test/loss", self.loss(batch))

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.Adam(self.parameters(), lr=self.hparams["lr"])


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=20, help="passes over the points")
    parser.add_argument("--lr", type=float, default=0.02, help="learning rate")
    parser.add_argument("--width", type=int, default=16, help="units of the hidden layer")
    parser.add_argument("--seed", type=int, default=0, help="seed of points and weights")
    return parser.parse_args()


def points(count: int) -> DataLoader:
    x = torch.rand(count, 1) * 6 - 3
    return DataLoader(TensorDataset(x, torch.sin(x) + 0.05 * torch.randn_like(x)), batch_size=32)


def main() -> None:
    args = parse_args()
    logging.getLogger("lightning.pytorch").setLevel(logging.WARNING)
    warnings.filterwarnings("ignore", module="lightning")
    lightning.seed_everything(args.seed, verbose=False)
    trainer = lightning.Trainer(
        accelerator="cpu",
        max_epochs=args.epochs,
        log_every_n_steps=5,
        logger=LightningLogger("curve", tags=["lightning"]),
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
    )
    model = Curve(args.width, args.lr)
    trainer.fit(model, points(512), points(128))
    trainer.test(model, points(128), verbose=False)
    print(f"{trainer.logger.version}: trained and tested")


if __name__ == "__main__":
    main()
