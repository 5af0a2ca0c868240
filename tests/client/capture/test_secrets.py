"""Secrets are masked wherever something is recorded, and nothing else is."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

import tracking
from tracking.client.capture.secret_lines import mask_text
from tracking.client.capture.secret_names import is_secret_file, is_secret_name
from tracking.client.capture.secrets import mask_arguments, without_credentials

SECRET = (
    "api_key apiKey API_KEY OPENAI_API_KEY api-key secret client_secret password db.password passwd token access_token "
    "auth_token hf_token HF_TOKEN hub_token aws_secret_access_key AWS_ACCESS_KEY_ID private_key "
    "credentials accessToken "
    "openai-key db_pass pass pwd passwords PGPASSWORD api_keys password_2 X-Api-Key AccountKey stripe_key Authorization"
).split()
HARMLESS = (
    "tokenizer num_tokens max_token max_tokens pad_token eos_token bos_token mask_token key_dim key keys sort_key "
    "forward_pass num_pass token_2 api_keyboard "
    "PWD special_tokens passenger compass bypass keyword "
    "token_type lr secretary password_length tokenizer_name primary_key num_keys monkey token_id author cls_token"
).split()


@pytest.mark.parametrize("name", SECRET)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", HARMLESS)
def test_names_of_anything_else(name: str) -> None:
    assert not is_secret_name(name)


def test_arguments() -> None:
    given = [
        "--token=abc",
        "--api-key",
        "abc",
        "API_KEY=abc",
        "model.password=abc",
        "--lr",
        "0.1",
        "--tokenizer=bert",
    ]
    given += [
        "postgres://me:abc@db/x",
        "--api-key",
        "--verbose",
        '{"secret": "abc", "lr": 1}',
        "ghp_" + "a" * 36,
    ]
    masked = mask_arguments(given)
    assert "abc" not in " ".join(masked)
    assert "ghp_a" not in " ".join(masked)
    assert masked[1::1][4:7] == ["--lr", "0.1", "--tokenizer=bert"]
    assert "--verbose" in masked
    assert masked[8] == "postgres://***@db/x"
    assert '"lr": 1' in masked[11]


HIDDEN = [
    'api_key = "hunter2"',
    "+API_KEY=hunter2",
    "-  password: hunter2",
    '  "token": "hunter2",',
    "os.environ['HF_TOKEN'] = 'hunter2'",
    'client(api_key="hunter2", lr=0.1)',
    'token: str = "hunter2"',
    "export AWS_SECRET_ACCESS_KEY=hunter2",
    'password = b"hunter2"',
    'password = getenv("X", "hunter2")',
    "curl -H 'Authorization: Bearer hunter2hunter2'",
    "https://user:hunter2@host/repo.git",
    "secret := 'hunter2'",
    "-----BEGIN RSA PRIVATE KEY-----\nhunter2\nhunter2\n-----END RSA PRIVATE KEY-----",
    "+-----BEGIN OPENSSH PRIVATE KEY-----\n+hunter2\n+-----END OPENSSH PRIVATE KEY-----",
]


@pytest.mark.parametrize("line", HIDDEN)
def test_values_in_lines_are_masked(line: str) -> None:
    masked = mask_text(f"before = 1\n{line}\nafter = 2\n")
    assert "hunter2" not in masked
    assert "***" in masked
    assert masked.startswith("before = 1\n")
    assert masked.endswith("after = 2\n")


@pytest.mark.parametrize(
    "line",
    [
        'tokenizer = "bert"',
        "pad_token = '<pad>'",
        "def f(token: str, key: int) -> None:",
        "max_tokens = 512",
        "if token == 'x':",
        "keys = sorted(found)",
        "url = 'https://example.org/a@b'",
        "x = d['key']",
        "author = 'me'",
    ],
)
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert mask_text(line) == line


def test_a_line_of_megabytes_takes_no_time() -> None:
    began = time.monotonic()
    mask_text("token" * 400_000)
    mask_text("a.b-" * 500_000 + "token=")
    mask_text("://" + "x" * 2_000_000)
    assert time.monotonic() - began < 5


@pytest.mark.parametrize(
    ("remote", "kept"),
    [
        ("https://user:pat@github.com/a/b.git", "https://github.com/a/b.git"),
        ("https://ghp_x@github.com/a/b.git?private_token=x", "https://github.com/a/b.git"),
        ("git@github.com:a/b.git", "git@github.com:a/b.git"),
        ("ssh://git:pw@host:22/a", "ssh://git@host:22/a"),
        ("/srv/git/a", "/srv/git/a"),
    ],
)
def test_remotes(remote: str, kept: str) -> None:
    assert without_credentials(remote) == kept


def test_files_of_secrets() -> None:
    for name in (
        ".env",
        "deep/.env.local",
        "prod.env",
        "a/KEY.PEM",
        "id_rsa",
        "x/id_work",
        "credentials.json",
    ):
        assert is_secret_file(name), name
    for name in ("environment.py", "id_mapping.py", "secrets.py", "keys.py", "a.env/b.py"):
        assert not is_secret_file(name), name


def test_params_are_masked_with_one_warning(store_folder: Path) -> None:
    given = {
        "openai": {"api_key": "hunter2", "model": "gpt"},
        "password": 12345,
        "token": "",
        "pad_token": "<pad>",
        "url": "postgres://me:hunter2@db/x",
        "services": [{"name": "a", "secret": "hunter2"}],
        "use_auth_token": True,
    }
    with pytest.warns(tracking.TrackingWarning, match="looks like a secret") as told:
        with tracking.start_run(params=given, store=store_folder, capture=False) as run:
            run.log_params({"hf_token": "hunter2"})
    assert len(told) == 1
    with tracking.open_store(store_folder) as store:
        params = store.run(run.id).params
    assert "hunter2" not in repr(params)
    assert params["openai"] == {"api_key": "***", "model": "gpt"}
    assert params["password"] == 12345
    assert params["use_auth_token"] is True
    assert params["pad_token"] == "<pad>"
    assert params["services"] == [{"name": "a", "secret": "***"}]
    assert "hunter2" not in "".join(
        path.read_bytes().decode("latin1") for path in store_folder.rglob("*.*") if path.is_file()
    )
