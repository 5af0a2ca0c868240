"""Search hyperparameters with scikit-learn, and keep every candidate as a child run.

    python examples/search_sklearn.py --folds 5

The data ships with scikit-learn. A search takes a few seconds.
"""

import argparse

from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

import tracking
from tracking.integrations.sklearn import log_search


def parse_args() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folds", type=int, default=3, help="folds of the cross-validation")
    parser.add_argument("--kernel", choices=["rbf", "poly", "sigmoid"], default="rbf", help="of the SVM")
    parser.add_argument("--images", type=int, default=900, help="images to search with")
    return parser.parse_args()


def main() -> None:
    args = parse_args()
    images, labels = load_digits(return_X_y=True)
    pipeline = make_pipeline(StandardScaler(), SVC(kernel=args.kernel))
    grid = {"svc__C": [0.1, 1.0, 10.0], "svc__gamma": [0.001, 0.01]}

    with tracking.start_run("digits-search", name="svc grid", params=vars(args)) as run:
        search = GridSearchCV(pipeline, grid, cv=args.folds)
        search.fit(images[: args.images], labels[: args.images])
        children = log_search(search)
        print(f"{run.id}: {len(children)} candidates, the best {search.best_params_}")


if __name__ == "__main__":
    main()
