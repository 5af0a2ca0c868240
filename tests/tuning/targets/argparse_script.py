"""A script with every kind of option that argparse has."""

from __future__ import annotations

FULL = """
import argparse
from argparse import BooleanOptionalAction
from pathlib import Path

RATES = [0.1, 0.01]
MODELS = {"mlp": object, "cnn": list}
DEFAULT = 2 ** 6

parser = argparse.ArgumentParser(description="Train it.")
parser.add_argument("--lr", "-l", type=float, default=1e-3, help="rate, %(default)s as it is")
parser.add_argument("-e", "--epochs", type=int, default="10")
parser.add_argument("--batch-size", type=int, default=DEFAULT)
parser.add_argument("--model", choices=sorted(MODELS), default="mlp")
parser.add_argument("--rate", type=float, choices=RATES, default=0.1)
group = parser.add_argument_group("regularisation")
group.add_argument("--dropout", type=float, default=-0.5)
parser.add_argument_group("more").add_argument("--chained", type=int, default=-1)
either = group.add_mutually_exclusive_group()
either.add_argument("--adam", dest="optimizer", action="store_const", const="adam", default="sgd")
either.add_argument("--lamb", dest="optimizer", action="store_const", const="lamb")
parser.add_argument("--cuda", dest="gpu", action="store_true")
parser.add_argument("--no-cuda", dest="gpu", action="store_false")
parser.add_argument("--amp", action="store_true")
parser.add_argument("--no-shuffle", dest="shuffle", action="store_false")
parser.add_argument("--augment", action=BooleanOptionalAction, default=True)
parser.add_argument("--layers", type=int, nargs="+", default=[64, 32])
parser.add_argument("--tag", action="append")
parser.add_argument("-v", "--verbose", action="count", default=0)
parser.add_argument("--bias", type=bool, default=True)
parser.add_argument("--out", type=Path, default="out")
parser.add_argument("--name", required=True)
parser.add_argument("--warmup", type=int)
parser.add_argument("data")
parser.add_argument("more", nargs="?", default="none")
parser.set_defaults(lr=0.5)
args = parser.parse_args()
"""
