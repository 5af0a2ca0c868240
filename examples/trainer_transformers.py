"""Train a tiny BERT with Hugging Face's Trainer to tell sentences that hold a word from others.

    pip install transformers torch accelerate
    python examples/trainer_transformers.py --epochs 6

Model and data are made up: nothing is downloaded. A run takes a few seconds.
"""

import argparse
import tempfile

import torch
from torch.utils.data import Dataset
from transformers import BertConfig, BertForSequenceClassification, Trainer, TrainingArguments

from tracking.integrations.transformers import TransformersCallback

WORD = 7


class Sentences(Dataset):
    def __init__(self, count: int, seed: int) -> None:
        draw = torch.Generator().manual_seed(seed)
        self.tokens = torch.randint(8, 40, (count, 12), generator=draw)
        self.labels = torch.randint(0, 2, (count,), generator=draw)
        places = torch.randint(0, 12, (count,), generator=draw)
        holding = self.labels == 1
        self.tokens[holding, places[holding]] = WORD

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, at: int) -> dict[str, torch.Tensor]:
        return {"input_ids": self.tokens[at], "labels": self.labels[at]}


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--epochs", type=int, default=6, help="passes over the sentences")
    parser.add_argument("--lr", type=float, default=0.005, help="learning rate")
    parser.add_argument("--seed", type=int, default=0, help="seed of sentences and weights")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    torch.manual_seed(args.seed)
    config = BertConfig(
        vocab_size=40, hidden_size=32, num_hidden_layers=1, num_attention_heads=2, intermediate_size=64
    )
    with tempfile.TemporaryDirectory() as folder:
        training = TrainingArguments(
            output_dir=folder,
            num_train_epochs=args.epochs,
            learning_rate=args.lr,
            per_device_train_batch_size=32,
            logging_steps=5,
            eval_strategy="epoch",
            save_strategy="no",
            report_to=[],
            use_cpu=True,
            disable_tqdm=True,
            seed=args.seed,
        )
        trainer = Trainer(
            BertForSequenceClassification(config),
            training,
            train_dataset=Sentences(640, args.seed),
            eval_dataset=Sentences(128, args.seed + 1),
            callbacks=[TransformersCallback("sentences", tags=["transformers"])],
        )
        trainer.train()
    print("trained; look at it with: make run")


if __name__ == "__main__":
    main()
