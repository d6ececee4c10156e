BEGIN TRANSACTION;
CREATE TABLE admissions (at REAL NOT NULL, tenant TEXT NOT NULL);
CREATE TABLE alerts (scope TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (scope, kind)) WITHOUT ROWID;
CREATE TABLE attempts (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, request TEXT NOT NULL, tenant TEXT NOT NULL, feature TEXT NOT NULL,
        provider TEXT NOT NULL, model TEXT NOT NULL, outcome TEXT NOT NULL, cache_kind TEXT NOT NULL,
        tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, tokens_cached INTEGER NOT NULL,
        cost INTEGER NOT NULL, saved INTEGER NOT NULL, price_version TEXT NOT NULL, latency_ms REAL NOT NULL,
        retry INTEGER NOT NULL, estimated INTEGER NOT NULL, variant TEXT NOT NULL);
INSERT INTO "attempts" VALUES(1,1.79527288068582606319e+09,'d9a6a95408c0-2','default','filings','openai','gpt-5.4','ok','',12,5,0,105000,0,'genai-prices 0.2.3',4.04356201001064619049e+02,0,0,'');
INSERT INTO "attempts" VALUES(2,1.79527288109369802474e+09,'d9a6a95408c0-1','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',403.014326999255,0,0,'');
INSERT INTO "attempts" VALUES(3,1.79527288149995207784e+09,'d9a6a95408c0-3','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.03564364001795183867e+02,0,0,'');
INSERT INTO "attempts" VALUES(4,1.79527288190634202961e+09,'d9a6a95408c0-4','default','filings','openai','gpt-5.4','ok','',12,5,0,105000,0,'genai-prices 0.2.3',4.03278323999984422698e+02,0,0,'');
INSERT INTO "attempts" VALUES(5,1.79527288231282711032e+09,'d9a6a95408c0-5','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.03740566001943079754e+02,0,0,'');
INSERT INTO "attempts" VALUES(6,1.79527288271829104423e+09,'d9a6a95408c0-6','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.02999369998724432662e+02,0,0,'');
INSERT INTO "attempts" VALUES(7,1.79527288312422704692e+09,'d9a6a95408c0-7','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.03409028000169200822e+02,0,0,'');
INSERT INTO "attempts" VALUES(8,1.79527288352995800973e+09,'d9a6a95408c0-8','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.02928849998716032132e+02,0,0,'');
CREATE TABLE budget (scope TEXT PRIMARY KEY, settled INTEGER NOT NULL, reserved INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "budget" VALUES('day/2026-11-21',430500,1002024000);
INSERT INTO "budget" VALUES('month/2026-11',430500,1002024000);
CREATE TABLE migrations (room TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "migrations" VALUES('llm',1);
CREATE TABLE quota_days (
        provider TEXT NOT NULL, day TEXT NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (provider, day)) WITHOUT ROWID;
CREATE TABLE reservations (
        owner TEXT NOT NULL, slot INTEGER NOT NULL, amount INTEGER NOT NULL, scopes TEXT NOT NULL,
        PRIMARY KEY (owner, slot)) WITHOUT ROWID;
INSERT INTO "reservations" VALUES('3a9ff81d254c40ba9c14c0f0bf035f20',1,2024000,'month/2026-11
day/2026-11-21');
INSERT INTO "reservations" VALUES('3a9ff81d254c40ba9c14c0f0bf035f20',65536,1000000000,'month/2026-11
day/2026-11-21');
CREATE TABLE usage_days (
        day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, feature TEXT NOT NULL, tenant TEXT NOT NULL,
        outcome TEXT NOT NULL, cache_kind TEXT NOT NULL,
        calls INTEGER NOT NULL, tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL,
        tokens_cached INTEGER NOT NULL, cost INTEGER NOT NULL, saved INTEGER NOT NULL, wasted INTEGER NOT NULL,
        latency_ms REAL NOT NULL, retries INTEGER NOT NULL,
        PRIMARY KEY (day, provider, model, feature, tenant, outcome, cache_kind)) WITHOUT ROWID;
INSERT INTO "usage_days" VALUES('2026-11-21','openai','gpt-5.4','filings','default','ok','',2,24,10,0,210000,0,0,807.634525001049,0);
INSERT INTO "usage_days" VALUES('2026-11-21','openai','gpt-5.4-mini','filings','default','ok','',6,72,30,0,189000,0,0,2.4196565050006029196e+03,0);
CREATE INDEX attempts_at ON attempts (at);
CREATE INDEX admissions_at ON admissions (at);
COMMIT;
