-- What the revisions under migrations/ come to; a new store is made of it, without going through them.
-- Written by `python -m tracking.database.migrate > tracking/database/schema.sql`.
CREATE TABLE podium_schema (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT podium_schema_pkc PRIMARY KEY (version_num)
);
CREATE TABLE experiments (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	created BIGINT NOT NULL,
	vary TEXT,
	"ignore" TEXT,
	structure INTEGER NOT NULL,
	activity INTEGER NOT NULL,
	CONSTRAINT pk_experiments PRIMARY KEY (id),
	CONSTRAINT uq_experiments_name UNIQUE (name)
);
CREATE TABLE metric_keys (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	CONSTRAINT pk_metric_keys PRIMARY KEY (id),
	CONSTRAINT uq_metric_keys_name UNIQUE (name)
);
CREATE TABLE param_keys (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	CONSTRAINT pk_param_keys PRIMARY KEY (id),
	CONSTRAINT uq_param_keys_name UNIQUE (name)
);
CREATE TABLE metric_goals (
	experiment_id INTEGER NOT NULL,
	key_id INTEGER NOT NULL,
	goal TEXT NOT NULL,
	CONSTRAINT pk_metric_goals PRIMARY KEY (experiment_id, key_id),
	CONSTRAINT fk_metric_goals_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (id),
	CONSTRAINT fk_metric_goals_key_id FOREIGN KEY(key_id) REFERENCES metric_keys (id)
);
CREATE TABLE runs (
	id INTEGER NOT NULL,
	uid TEXT NOT NULL,
	experiment_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	status TEXT NOT NULL,
	created BIGINT NOT NULL,
	ended BIGINT,
	last_seen BIGINT NOT NULL,
	seconds FLOAT NOT NULL,
	group_name TEXT,
	parent TEXT,
	total_steps BIGINT,
	notes TEXT NOT NULL,
	error TEXT,
	dropped_points INTEGER NOT NULL,
	revision INTEGER NOT NULL,
	activity INTEGER NOT NULL,
	deleted BIGINT,
	CONSTRAINT pk_runs PRIMARY KEY (id),
	CONSTRAINT fk_runs_experiment_id FOREIGN KEY(experiment_id) REFERENCES experiments (id),
	CONSTRAINT uq_runs_uid UNIQUE (uid)
);
CREATE INDEX ix_runs_created ON runs (created, id);
CREATE INDEX ix_runs_experiment_activity ON runs (experiment_id, activity);
CREATE INDEX ix_runs_experiment_created ON runs (experiment_id, created, id);
CREATE INDEX ix_runs_status ON runs (status);
CREATE TABLE metric_summaries (
	run_id INTEGER NOT NULL,
	key_id INTEGER NOT NULL,
	count INTEGER NOT NULL,
	non_finite INTEGER NOT NULL,
	first FLOAT,
	first_step BIGINT NOT NULL,
	last FLOAT,
	last_step BIGINT NOT NULL,
	min FLOAT,
	min_step BIGINT,
	max FLOAT,
	max_step BIGINT,
	mean FLOAT,
	CONSTRAINT pk_metric_summaries PRIMARY KEY (run_id, key_id),
	CONSTRAINT fk_metric_summaries_key_id FOREIGN KEY(key_id) REFERENCES metric_keys (id),
	CONSTRAINT fk_metric_summaries_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
)
 WITHOUT ROWID;
CREATE INDEX ix_metric_summaries_key_last ON metric_summaries (key_id, last);
CREATE TABLE params (
	run_id INTEGER NOT NULL,
	key_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	text TEXT NOT NULL,
	number FLOAT,
	path TEXT,
	CONSTRAINT pk_params PRIMARY KEY (run_id, key_id),
	CONSTRAINT fk_params_key_id FOREIGN KEY(key_id) REFERENCES param_keys (id),
	CONSTRAINT fk_params_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);
CREATE INDEX ix_params_key_number ON params (key_id, number);
CREATE TABLE sessions (
	id INTEGER NOT NULL,
	spool TEXT NOT NULL,
	run_id INTEGER NOT NULL,
	ordinal INTEGER NOT NULL,
	owner BOOLEAN NOT NULL,
	started BIGINT NOT NULL,
	host TEXT NOT NULL,
	process INTEGER NOT NULL,
	ingested BIGINT NOT NULL,
	sealed BOOLEAN NOT NULL,
	dropped_points INTEGER NOT NULL, rank INTEGER,
	CONSTRAINT pk_sessions PRIMARY KEY (id),
	CONSTRAINT fk_sessions_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
	CONSTRAINT uq_sessions_spool UNIQUE (spool)
);
CREATE INDEX ix_sessions_run ON sessions (run_id);
CREATE TABLE tags (
	run_id INTEGER NOT NULL,
	tag TEXT NOT NULL,
	position INTEGER NOT NULL,
	CONSTRAINT pk_tags PRIMARY KEY (run_id, tag),
	CONSTRAINT fk_tags_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
)
 WITHOUT ROWID;
CREATE INDEX ix_tags_tag ON tags (tag, run_id);
CREATE TABLE metric_series (
	id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	key_id INTEGER NOT NULL,
	session_id INTEGER NOT NULL,
	CONSTRAINT pk_metric_series PRIMARY KEY (id),
	CONSTRAINT fk_metric_series_key_id FOREIGN KEY(key_id) REFERENCES metric_keys (id),
	CONSTRAINT fk_metric_series_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
	CONSTRAINT fk_metric_series_session_id FOREIGN KEY(session_id) REFERENCES sessions (id),
	CONSTRAINT uq_metric_series_run_id_key_id_session_id UNIQUE (run_id, key_id, session_id)
);
CREATE TABLE metric_blocks (
	id INTEGER NOT NULL,
	series_id INTEGER NOT NULL,
	position BIGINT NOT NULL,
	count INTEGER NOT NULL,
	min_step BIGINT NOT NULL,
	max_step BIGINT NOT NULL,
	data BLOB NOT NULL,
	CONSTRAINT pk_metric_blocks PRIMARY KEY (id),
	CONSTRAINT fk_metric_blocks_series_id FOREIGN KEY(series_id) REFERENCES metric_series (id),
	CONSTRAINT uq_metric_blocks_series_id_position UNIQUE (series_id, position)
);
CREATE INDEX ix_runs_parent ON runs (parent) WHERE parent IS NOT NULL;
CREATE TABLE artifacts (
	id INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	session_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	kind TEXT NOT NULL,
	step BIGINT,
	digest TEXT NOT NULL,
	size BIGINT NOT NULL,
	files INTEGER NOT NULL,
	media_type TEXT NOT NULL,
	created BIGINT NOT NULL,
	details TEXT NOT NULL,
	CONSTRAINT pk_artifacts PRIMARY KEY (id),
	CONSTRAINT fk_artifacts_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
	CONSTRAINT fk_artifacts_session_id FOREIGN KEY(session_id) REFERENCES sessions (id)
);
CREATE INDEX ix_artifacts_run_name ON artifacts (run_id, name, step);
CREATE INDEX ix_artifacts_digest ON artifacts (digest);
CREATE TABLE datasets (
	id INTEGER NOT NULL,
	digest TEXT NOT NULL,
	kind TEXT NOT NULL,
	rows BIGINT,
	columns BIGINT,
	size BIGINT,
	schema TEXT NOT NULL,
	statistics TEXT NOT NULL,
	object TEXT,
	created BIGINT NOT NULL,
	CONSTRAINT pk_datasets PRIMARY KEY (id),
	CONSTRAINT uq_datasets_digest UNIQUE (digest)
);
CREATE INDEX ix_datasets_object ON datasets (object);
CREATE TABLE dataset_uses (
	run_id INTEGER NOT NULL,
	dataset_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	source TEXT NOT NULL,
	created BIGINT NOT NULL,
	CONSTRAINT pk_dataset_uses PRIMARY KEY (run_id, dataset_id, name),
	CONSTRAINT fk_dataset_uses_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
	CONSTRAINT fk_dataset_uses_dataset_id FOREIGN KEY(dataset_id) REFERENCES datasets (id)
)
 WITHOUT ROWID;
CREATE INDEX ix_dataset_uses_dataset ON dataset_uses (dataset_id);
CREATE TABLE captures (
	session_id INTEGER NOT NULL,
	section TEXT NOT NULL,
	data TEXT NOT NULL,
	digest TEXT,
	size BIGINT NOT NULL,
	created BIGINT NOT NULL,
	CONSTRAINT pk_captures PRIMARY KEY (session_id, section),
	CONSTRAINT fk_captures_session_id FOREIGN KEY(session_id) REFERENCES sessions (id)
)
 WITHOUT ROWID;
CREATE INDEX ix_captures_digest ON captures (digest);
CREATE TABLE studies (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	experiment TEXT NOT NULL,
	directions TEXT NOT NULL,
	created BIGINT NOT NULL,
	deleted BIGINT,
	ops INTEGER NOT NULL,
	folded INTEGER NOT NULL,
	trials INTEGER NOT NULL,
	CONSTRAINT pk_studies PRIMARY KEY (id)
);
CREATE UNIQUE INDEX uq_studies_name ON studies (name) WHERE deleted IS NULL;
CREATE TABLE study_journal (
	study_id INTEGER NOT NULL,
	position BIGINT NOT NULL,
	trial BIGINT,
	op TEXT NOT NULL,
	CONSTRAINT pk_study_journal PRIMARY KEY (study_id, position),
	CONSTRAINT fk_study_journal_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
);
CREATE INDEX ix_study_journal_trial ON study_journal (study_id, trial) WHERE trial IS NOT NULL;
CREATE TABLE study_trials (
	study_id INTEGER NOT NULL,
	number BIGINT NOT NULL,
	run_id INTEGER,
	session_id INTEGER,
	state TEXT NOT NULL,
	started BIGINT,
	completed BIGINT,
	objectives TEXT,
	params TEXT NOT NULL,
	attributes TEXT NOT NULL,
	CONSTRAINT pk_study_trials PRIMARY KEY (study_id, number),
	CONSTRAINT fk_study_trials_study_id FOREIGN KEY(study_id) REFERENCES studies (id),
	CONSTRAINT fk_study_trials_run_id FOREIGN KEY(run_id) REFERENCES runs (id),
	CONSTRAINT fk_study_trials_session_id FOREIGN KEY(session_id) REFERENCES sessions (id)
);
CREATE INDEX ix_study_trials_run ON study_trials (run_id);
CREATE INDEX ix_study_trials_session ON study_trials (session_id);
CREATE TABLE study_snapshots (
	study_id INTEGER NOT NULL,
	number BIGINT NOT NULL,
	position BIGINT NOT NULL,
	op TEXT NOT NULL,
	CONSTRAINT pk_study_snapshots PRIMARY KEY (study_id, number),
	CONSTRAINT fk_study_snapshots_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
)
 WITHOUT ROWID;
CREATE TABLE study_params (
	study_id INTEGER NOT NULL,
	name TEXT NOT NULL,
	distribution TEXT NOT NULL,
	CONSTRAINT pk_study_params PRIMARY KEY (study_id, name),
	CONSTRAINT fk_study_params_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
)
 WITHOUT ROWID;
CREATE TABLE study_attributes (
	study_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	"key" TEXT NOT NULL,
	position BIGINT NOT NULL,
	value TEXT NOT NULL,
	CONSTRAINT pk_study_attributes PRIMARY KEY (study_id, kind, "key"),
	CONSTRAINT fk_study_attributes_study_id FOREIGN KEY(study_id) REFERENCES studies (id)
)
 WITHOUT ROWID;
CREATE TABLE models (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	"key" TEXT NOT NULL,
	created BIGINT NOT NULL,
	description TEXT NOT NULL,
	tags TEXT NOT NULL,
	gates TEXT NOT NULL,
	revision INTEGER NOT NULL,
	CONSTRAINT pk_models PRIMARY KEY (id),
	CONSTRAINT uq_models_key UNIQUE ("key")
);
CREATE TABLE model_versions (
	model_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	run_id INTEGER NOT NULL,
	artifact TEXT NOT NULL,
	kind TEXT NOT NULL,
	step BIGINT,
	digest TEXT NOT NULL,
	size BIGINT NOT NULL,
	created BIGINT NOT NULL,
	"by" TEXT NOT NULL,
	details TEXT NOT NULL,
	lineage TEXT NOT NULL,
	CONSTRAINT pk_model_versions PRIMARY KEY (model_id, number),
	CONSTRAINT fk_model_versions_model_id FOREIGN KEY(model_id) REFERENCES models (id),
	CONSTRAINT fk_model_versions_run_id FOREIGN KEY(run_id) REFERENCES runs (id)
);
CREATE INDEX ix_model_versions_run ON model_versions (run_id);
CREATE INDEX ix_model_versions_digest ON model_versions (digest);
CREATE TABLE version_notes (
	model_id INTEGER NOT NULL,
	number INTEGER NOT NULL,
	description TEXT NOT NULL,
	tags TEXT NOT NULL,
	CONSTRAINT pk_version_notes PRIMARY KEY (model_id, number),
	CONSTRAINT fk_version_notes_version FOREIGN KEY(model_id, number) REFERENCES model_versions (model_id, number)
)
 WITHOUT ROWID;
CREATE TABLE registry_journal (
	position INTEGER NOT NULL,
	at BIGINT NOT NULL,
	kind TEXT NOT NULL,
	model TEXT NOT NULL,
	alias TEXT,
	version INTEGER,
	previous INTEGER,
	"by" TEXT NOT NULL,
	reason TEXT NOT NULL,
	overridden BOOLEAN NOT NULL,
	gates TEXT NOT NULL,
	evidence TEXT NOT NULL,
	details TEXT NOT NULL,
	previous_digest TEXT NOT NULL,
	digest TEXT NOT NULL,
	CONSTRAINT pk_registry_journal PRIMARY KEY (position),
	CONSTRAINT uq_registry_journal_digest UNIQUE (digest)
);
CREATE INDEX ix_registry_journal_holder ON registry_journal (model, alias, position);
CREATE INDEX ix_registry_journal_version ON registry_journal (model, version);
