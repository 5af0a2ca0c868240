"""Which names say that a secret stands under them: of params, variables, options, and files."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase

_SECRET_WORDS = frozenset(
    "password passwords passwd passphrase passcode secret secrets credential credentials creds authorization "
    "apikey apikeys apitoken accesstoken authtoken accesskey secretkey accountkey privatekey pwd".split()
)
_SECRET_ENDS = ("password", "passwd", "apikey", "secret")
_SERVICES = frozenset(
    "openai anthropic azure google gemini cohere mistral groq deepseek openrouter together replicate elevenlabs "
    "hf hub huggingface github gitlab wandb comet neptune kaggle slack telegram discord stripe sendgrid twilio "
    "aws gcp databricks pinecone tavily serpapi datadog sentry".split()
)
_KEYS = _SERVICES | frozenset(
    "api secret access private encryption signing auth account storage ssh master".split()
)
_TOKENS = _SERVICES | frozenset(
    "access auth api bearer refresh id session secret personal oauth csrf login security bot deploy private".split()
)
_PASSES = _SERVICES | frozenset(
    "db database user mysql pg postgres redis mongo rabbitmq smtp mail email ftp ssh admin root login proxy".split()
)
_PLURALS = frozenset("api access auth bearer refresh secret private".split())
_WORDS = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+")
_FOLDERS = frozenset(("PWD", "OLDPWD"))


def is_secret_name(name: str) -> bool:
    """Whether what stands under a name clearly is a secret; of a dotted name the last part counts."""
    if len(name) > 200:
        return False
    name = name.rpartition(".")[2]
    words = [word.lower() for word in _WORDS.findall(name)]
    if len(words) > 1 and words[-1].isdigit() and words[:-1] != ["token"]:  # password_2, but not token_2
        words.pop()
    if not words or name in _FOLDERS:
        return False
    last, before = words[-1], words[-2] if len(words) > 1 else ""
    if last == "id" and before == "key":  # access_key_id
        return len(words) > 2 and words[-3] in _KEYS
    if last == "token":
        return before == "" or before in _TOKENS
    if last == "key":
        return before in _KEYS
    if last == "pass":  # not forward_pass
        return before == "" or before in _PASSES
    if last in ("keys", "tokens"):
        return before in _PLURALS
    return last in _SECRET_WORDS or last.endswith(_SECRET_ENDS)


def is_secret_option(option: str) -> bool:
    """Whether the value of an option of a command, such as `--api-key` or a lone `--key`, is a secret."""
    name = option.lstrip("-+~")
    return is_secret_name(name) or (option.startswith("--") and name.lower() == "key")


def is_secret_query(name: str) -> bool:
    """Whether a part of an address' query lets its reader in, such as a signature."""
    short = name.lower().rpartition("-")[2]
    return is_secret_name(name) or short in ("sig", "signature", "key", "credential", "auth", "code")


SECRET_FILES = tuple(
    ".env* *.env *.env.* *.pem *.key *.p8 *.p12 *.pfx *.ppk *.jks *.keystore *.kdbx *.gpg *.ovpn "
    "id_rsa* id_dsa* id_ecdsa* id_ed25519* credentials* *.credentials .*creds *_creds *_creds.* creds.* "
    ".git-credentials .netrc _netrc .pypirc .npmrc .htpasswd htpasswd .pgpass .my.cnf .boto .s3cfg .dockercfg "
    ".renviron rclone.conf kaggle.json client_secret*.json secrets.y*ml secrets.json secrets.toml secrets.ini "
    "*.secret *.secrets service-account*.json kubeconfig *.tfvars *.tfvars.json *.tfstate *.tfstate.* "
    "vault.y*ml *.vault .vault_pass* .vault-pass* token .token *.token token.txt token.json *_token.txt "
    "password password.* passwords passwords.txt passwords.csv passwd "
    ".docker/config.json .kube/* .ssh/* .aws/* .azure/* .gnupg/*".split()
)
"""Patterns of the names of files that hold secrets, some with their folder; matched without regard to case."""


def is_secret_file(path: str) -> bool:
    """Whether a file's name says that it holds secrets, so that nothing of it may be recorded."""
    folder, _, name = path.lower().rpartition("/")
    placed = f"{folder.rpartition('/')[2]}/{name}"
    if any(fnmatchcase(placed if "/" in pattern else name, pattern) for pattern in SECRET_FILES):
        return True
    # Keys of any other kind; id_mapping.py is code.
    return name.startswith("id_") and not name.endswith((".py", ".ipynb", ".md", ".rst", ".csv"))
