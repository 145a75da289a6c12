BEGIN TRANSACTION;
CREATE TABLE accesses (
	number INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at_us INTEGER NOT NULL, 
	user TEXT NOT NULL, 
	address TEXT NOT NULL, 
	action TEXT NOT NULL, 
	camera TEXT, 
	start_us INTEGER, 
	end_us INTEGER
);
INSERT INTO "accesses" VALUES(1,1795439100000000,'anna','127.0.0.1','video','hik1',1795439000000000,1795439060000000);
CREATE TABLE alembic_version (
	version_num VARCHAR(32) NOT NULL,
	CONSTRAINT alembic_version_pkc PRIMARY KEY (version_num)
);
INSERT INTO "alembic_version" VALUES('0004');
CREATE TABLE cameras (
	id INTEGER NOT NULL,
	name TEXT NOT NULL,
	added_us INTEGER NOT NULL,
	CONSTRAINT pk_cameras PRIMARY KEY (id),
	CONSTRAINT uq_cameras_name UNIQUE (name)
);
INSERT INTO "cameras" VALUES(1,'hik1',1795352700000000);
INSERT INTO "cameras" VALUES(2,'hik2',1795352820000000);
CREATE TABLE changes (
	number INTEGER NOT NULL,
	event_id INTEGER NOT NULL,
	change TEXT NOT NULL,
	CONSTRAINT pk_changes PRIMARY KEY (number)
);
INSERT INTO "changes" VALUES(1,1,'begin');
INSERT INTO "changes" VALUES(2,1,'end');
INSERT INTO "changes" VALUES(3,3,'begin');
CREATE TABLE events (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
	camera_id INTEGER NOT NULL,
	kind TEXT NOT NULL,
	label TEXT NOT NULL,
	start_us INTEGER NOT NULL,
	seen_us INTEGER NOT NULL,
	end_us INTEGER,
	score REAL NOT NULL,
	box_left REAL,
	box_top REAL,
	box_right REAL,
	box_bottom REAL,
	zones TEXT NOT NULL,
	snapshot TEXT, locked INTEGER DEFAULT 0 NOT NULL, thumbnail TEXT, began TEXT DEFAULT '' NOT NULL, ended TEXT DEFAULT '' NOT NULL, marked_false INTEGER DEFAULT 0 NOT NULL, received_us INTEGER, detail TEXT DEFAULT '' NOT NULL, same_as INTEGER CONSTRAINT fk_events_same_as_events REFERENCES events (id) ON DELETE SET NULL,
	CONSTRAINT fk_events_camera_id_cameras FOREIGN KEY(camera_id) REFERENCES cameras (id)
);
INSERT INTO "events" VALUES(1,1,'object','person',1795352700000000,1795352730000000,1795352760000000,0.875,0.125,0.25,0.5,0.75,'["gate", "süd, „Tor“"]','snapshots/hik1/0.jpg',1,'snapshots/hik1/0.thumb.jpg','entered süd, „Tor“','left the picture',1,NULL,'',NULL);
INSERT INTO "events" VALUES(2,2,'object','car',1795352820000000,1795352850000000,NULL,0.875,0.125,0.25,0.5,0.75,'["gate", "süd, „Tor“"]','snapshots/hik2/2.jpg',0,NULL,'','',0,NULL,'',NULL);
INSERT INTO "events" VALUES(3,1,'camera','person',1795352701000000,1795352731000000,1795352761000000,0.0,NULL,NULL,NULL,NULL,'[]',NULL,0,NULL,'','',0,1795352701250000,'line 1 of „Tor“',1);
CREATE TABLE gaps (
	id TEXT NOT NULL,
	camera_id INTEGER NOT NULL,
	start_us INTEGER NOT NULL,
	end_us INTEGER,
	reason TEXT NOT NULL,
	detail TEXT NOT NULL,
	CONSTRAINT pk_gaps PRIMARY KEY (id),
	CONSTRAINT fk_gaps_camera_id_cameras FOREIGN KEY(camera_id) REFERENCES cameras (id)
);
INSERT INTO "gaps" VALUES('g1',1,1795352760000000,1795352820000000,'stopped','süd, „Tor“');
INSERT INTO "gaps" VALUES('g2',2,1795352880000000,NULL,'unreachable','');
INSERT INTO "gaps" VALUES('g3',1,1795353300000000,1795353360000000,'deleted','continuous 7d, 2026-11-22T13:20:00Z');
CREATE TABLE keys (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	user_id INTEGER NOT NULL, 
	kind TEXT NOT NULL, 
	name TEXT NOT NULL, 
	digest TEXT NOT NULL, 
	created_us INTEGER NOT NULL, 
	used_us INTEGER, 
	expires_us INTEGER, 
	CONSTRAINT fk_keys_user_id_users FOREIGN KEY(user_id) REFERENCES users (id) ON DELETE CASCADE, 
	CONSTRAINT uq_keys_digest UNIQUE (digest)
);
INSERT INTO "keys" VALUES(1,1,'token','prometheus','00ff',1795439100000000,NULL,NULL);
CREATE TABLE paths (
	event_id INTEGER NOT NULL,
	start_us INTEGER NOT NULL,
	points TEXT NOT NULL,
	CONSTRAINT pk_paths PRIMARY KEY (event_id),
	CONSTRAINT fk_paths_event_id_events FOREIGN KEY(event_id) REFERENCES events (id) ON DELETE CASCADE
);
INSERT INTO "paths" VALUES(1,1795352700000000,'[[0,0.125,0.25,0.5,0.75],[30000,0.1625,0.25,0.5375,0.75]]');
CREATE TABLE runs (
	id TEXT NOT NULL,
	camera_id INTEGER NOT NULL,
	stream TEXT NOT NULL,
	start_us INTEGER NOT NULL,
	end_us INTEGER,
	end_reason TEXT,
	codec TEXT,
	width INTEGER,
	height INTEGER,
	CONSTRAINT pk_runs PRIMARY KEY (id),
	CONSTRAINT fk_runs_camera_id_cameras FOREIGN KEY(camera_id) REFERENCES cameras (id)
);
INSERT INTO "runs" VALUES('r1',1,'main',1795352700000000,1795352760000000,'stopped','hevc',2560,1440);
INSERT INTO "runs" VALUES('r2',2,'main',1795352820000000,NULL,NULL,'hevc',2560,1440);
CREATE TABLE segments (
	id INTEGER NOT NULL,
	camera_id INTEGER NOT NULL,
	run_id TEXT NOT NULL,
	path TEXT NOT NULL,
	start_us INTEGER NOT NULL,
	end_us INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	packets INTEGER NOT NULL,
	codec TEXT NOT NULL,
	width INTEGER NOT NULL,
	height INTEGER NOT NULL,
	state TEXT NOT NULL, rule TEXT,
	CONSTRAINT pk_segments PRIMARY KEY (id),
	CONSTRAINT fk_segments_camera_id_cameras FOREIGN KEY(camera_id) REFERENCES cameras (id),
	CONSTRAINT fk_segments_run_id_runs FOREIGN KEY(run_id) REFERENCES runs (id),
	CONSTRAINT uq_segments_path UNIQUE (path)
);
INSERT INTO "segments" VALUES(1,1,'r1','segments/hik1/0.mp4',1795352700000000,1795352760000000,15000000,1500,'hevc',2560,1440,'closed',NULL);
INSERT INTO "segments" VALUES(2,2,'r2','segments/hik2/2.mp4',1795352820000000,1795352880000000,15000000,1500,'hevc',2560,1440,'salvaged',NULL);
INSERT INTO "segments" VALUES(3,1,'r1','segments/hik1/10.mp4',1795353300000000,1795353360000000,15000000,1500,'hevc',2560,1440,'deleting','continuous 7d');
INSERT INTO "segments" VALUES(4,1,'r1','segments/hik1/11.mp4',1795353360000000,1795353420000000,15000000,1500,'hevc',2560,1440,'missing',NULL);
CREATE TABLE stints (
	id INTEGER NOT NULL,
	start_us INTEGER NOT NULL,
	alive_us INTEGER NOT NULL,
	end_us INTEGER,
	boot TEXT NOT NULL,
	CONSTRAINT pk_stints PRIMARY KEY (id)
);
INSERT INTO "stints" VALUES(1,1795352700000000,1795352760000000,1795352760000000,'b1');
INSERT INTO "stints" VALUES(2,1795352820000000,1795352940000000,NULL,'b2');
CREATE TABLE users (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	name TEXT NOT NULL, 
	role TEXT NOT NULL, 
	cameras TEXT, 
	password TEXT, 
	created_us INTEGER NOT NULL, 
	CONSTRAINT uq_users_name UNIQUE (name)
);
INSERT INTO "users" VALUES(1,'anna','admin',NULL,'$argon2id$v=19$m=65536,t=3,p=4$AAAA$AAAA',1795439100000000);
INSERT INTO "users" VALUES(2,'bert','viewer','["hik1"]',NULL,1795439100000000);
CREATE INDEX ix_runs_start ON runs (start_us, id);
CREATE INDEX ix_runs_camera ON runs (camera_id, start_us, id);
CREATE INDEX ix_runs_open_or_long ON runs (start_us, id) WHERE end_us IS NULL OR end_us - start_us >= 3600000000;
CREATE INDEX ix_segments_start ON segments (start_us);
CREATE INDEX ix_segments_run ON segments (run_id);
CREATE INDEX ix_segments_open_or_long ON segments (start_us) WHERE end_us IS NULL OR end_us - start_us >= 3600000000;
CREATE INDEX ix_events_start ON events (start_us);
CREATE INDEX ix_events_camera ON events (camera_id, start_us);
CREATE INDEX ix_events_kind ON events (kind, start_us);
CREATE INDEX ix_events_label ON events (label, start_us);
CREATE INDEX ix_events_open_or_long ON events (start_us) WHERE end_us IS NULL OR end_us - start_us >= 3600000000;
CREATE INDEX ix_gaps_start ON gaps (start_us, id);
CREATE INDEX ix_gaps_camera ON gaps (camera_id, start_us, id);
CREATE INDEX ix_gaps_open_or_long ON gaps (start_us, id) WHERE end_us IS NULL OR end_us - start_us >= 3600000000;
CREATE INDEX ix_stints_start ON stints (start_us);
CREATE INDEX ix_segments_camera ON segments (camera_id, start_us, id, end_us, state, bytes);
CREATE INDEX ix_segments_left_out ON segments (state, start_us, id, camera_id) WHERE state NOT IN ('closed', 'salvaged');
CREATE INDEX ix_events_alone ON events (camera_id, start_us) WHERE kind = 'camera' AND same_as IS NULL;
CREATE INDEX ix_events_same_as ON events (same_as) WHERE same_as IS NOT NULL;
CREATE INDEX ix_events_denied ON events (start_us) WHERE marked_false = 1;
CREATE INDEX ix_keys_user_id ON keys (user_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('events',3);
INSERT INTO "sqlite_sequence" VALUES('users',2);
INSERT INTO "sqlite_sequence" VALUES('keys',1);
INSERT INTO "sqlite_sequence" VALUES('accesses',1);
COMMIT;
