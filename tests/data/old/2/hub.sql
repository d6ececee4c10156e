BEGIN TRANSACTION;
CREATE TABLE admissions (at REAL NOT NULL, tenant TEXT NOT NULL);
CREATE TABLE alerts (scope TEXT NOT NULL, kind TEXT NOT NULL, PRIMARY KEY (scope, kind)) WITHOUT ROWID;
CREATE TABLE attempts (
        id INTEGER PRIMARY KEY, at REAL NOT NULL, request TEXT NOT NULL, tenant TEXT NOT NULL, feature TEXT NOT NULL,
        provider TEXT NOT NULL, model TEXT NOT NULL, outcome TEXT NOT NULL, cache_kind TEXT NOT NULL,
        tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL, tokens_cached INTEGER NOT NULL,
        cost INTEGER NOT NULL, saved INTEGER NOT NULL, price_version TEXT NOT NULL, latency_ms REAL NOT NULL,
        retry INTEGER NOT NULL, estimated INTEGER NOT NULL, variant TEXT NOT NULL, left_out INTEGER NOT NULL DEFAULT 0);
INSERT INTO "attempts" VALUES(1,1.79527319428047490122e+09,'e21d1a7304e1-3','default','filings','openai','gpt-5.4','ok','',12,5,0,105000,0,'genai-prices 0.2.3',4.06655843002226902171e+02,0,0,'filing.analyze@v1:62bc9b82edbb',0);
INSERT INTO "attempts" VALUES(2,1.795273194689291954e+09,'e21d1a7304e1-1','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.05613093997089890763e+02,0,0,'filing.analyze@v1:62bc9b82edbb',0);
INSERT INTO "attempts" VALUES(3,1795273195.09735,'e21d1a7304e1-2','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.02984057000139728188e+02,0,0,'filing.analyze@v1:62bc9b82edbb',0);
INSERT INTO "attempts" VALUES(4,1.79527319550438690183e+09,'e21d1a7304e1-4','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.02980742001091130077e+02,0,0,'filing.analyze@v1:62bc9b82edbb',0);
INSERT INTO "attempts" VALUES(5,1.79527319591311311725e+09,'e21d1a7304e1-5','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.03648814997723093256e+02,0,0,'filing.analyze@v1:62bc9b82edbb',0);
INSERT INTO "attempts" VALUES(6,1.79527319631938505175e+09,'e21d1a7304e1-6','default','filings','openai','gpt-5.4','ok','',12,5,0,105000,0,'genai-prices 0.2.3',404.054257000098,0,0,'filing.analyze@v1:62bc9b82edbb',0);
INSERT INTO "attempts" VALUES(7,1.79527319672630810733e+09,'e21d1a7304e1-7','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.02959284998360089957e+02,0,0,'filing.analyze@v1:62bc9b82edbb',0);
INSERT INTO "attempts" VALUES(8,1.79527319713202500339e+09,'e21d1a7304e1-8','default','filings','openai','gpt-5.4-mini','ok','',12,5,0,31500,0,'genai-prices 0.2.3',4.04493156001990428194e+02,0,0,'filing.analyze@v1:62bc9b82edbb',0);
CREATE TABLE budget (scope TEXT PRIMARY KEY, settled INTEGER NOT NULL, reserved INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "budget" VALUES('day/2026-11-21',430500,1008706750);
INSERT INTO "budget" VALUES('month/2026-11',430500,1008706750);
CREATE TABLE migrations (room TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID;
INSERT INTO "migrations" VALUES('llm',2);
CREATE TABLE quota_days (
        provider TEXT NOT NULL, day TEXT NOT NULL, calls INTEGER NOT NULL, PRIMARY KEY (provider, day)) WITHOUT ROWID;
CREATE TABLE reservations (
        owner TEXT NOT NULL, slot INTEGER NOT NULL, amount INTEGER NOT NULL, scopes TEXT NOT NULL,
        PRIMARY KEY (owner, slot)) WITHOUT ROWID;
INSERT INTO "reservations" VALUES('987f8cd9b57548d5a4af2bd44b3aece0',1,8706750,'month/2026-11
day/2026-11-21');
INSERT INTO "reservations" VALUES('987f8cd9b57548d5a4af2bd44b3aece0',65536,1000000000,'month/2026-11
day/2026-11-21');
CREATE TABLE usage_days (
        day TEXT NOT NULL, provider TEXT NOT NULL, model TEXT NOT NULL, feature TEXT NOT NULL, tenant TEXT NOT NULL,
        outcome TEXT NOT NULL, cache_kind TEXT NOT NULL,
        calls INTEGER NOT NULL, tokens_in INTEGER NOT NULL, tokens_out INTEGER NOT NULL,
        tokens_cached INTEGER NOT NULL, cost INTEGER NOT NULL, saved INTEGER NOT NULL, wasted INTEGER NOT NULL,
        latency_ms REAL NOT NULL, retries INTEGER NOT NULL,
        PRIMARY KEY (day, provider, model, feature, tenant, outcome, cache_kind)) WITHOUT ROWID;
INSERT INTO "usage_days" VALUES('2026-11-21','openai','gpt-5.4','filings','default','ok','',2,24,10,0,210000,0,0,8.10710100002324907109e+02,0);
INSERT INTO "usage_days" VALUES('2026-11-21','openai','gpt-5.4-mini','filings','default','ok','',6,72,30,0,189000,0,0,2.42267914899639436043e+03,0);
CREATE INDEX attempts_at ON attempts (at);
CREATE INDEX admissions_at ON admissions (at);
COMMIT;
