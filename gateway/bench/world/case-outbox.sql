-- The outbox of a procedure system as a city has it: 30 columns beside its number, five rows a case.
-- Rows of a thousand cases stand mixed, as they do where many officers work. Nobody in it exists.
CREATE TABLE TABLE_NAME (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    case_code TEXT NOT NULL,
    officer TEXT NOT NULL,
    happened_at TEXT NOT NULL,
    status INTEGER NOT NULL,
    procedure_code TEXT,
    procedure_name TEXT,
    field_code TEXT,
    field_name TEXT,
    receipt TEXT,
    applicant_name TEXT,
    applicant_kind TEXT,
    applicant_number TEXT,
    other_info TEXT,
    email TEXT,
    phone TEXT,
    summary TEXT,
    received_at TEXT,
    due_at TEXT,
    finished_at TEXT,
    returned_at TEXT,
    by_post TEXT,
    unit TEXT,
    documents TEXT,
    fees TEXT,
    officer_name TEXT,
    officer_title TEXT,
    department TEXT,
    step TEXT
);

INSERT INTO TABLE_NAME (event_id, kind, case_code, officer, happened_at, status, procedure_code,
    procedure_name, field_code, field_name, receipt, applicant_name, applicant_kind,
    applicant_number, other_info, email, phone, summary, received_at, due_at, finished_at,
    returned_at, by_post, unit, documents, fees, officer_name, officer_title, department, step)
SELECT code || '/' || step + 1, CASE WHEN sync THEN 'sync' ELSE 'progress' END, code,
    'cb.sg.0' || 10 + c % 90, at, (ARRAY[1, 2, 4, 9, 10])[step + 1],
    CASE WHEN sync THEN '1.000894' END, CASE WHEN sync THEN 'Thủ tục hộ tịch (mẫu A)' END,
    CASE WHEN sync THEN 'G15-HT01' END, CASE WHEN sync THEN 'Hộ tịch' END,
    CASE WHEN sync THEN 'BN-' || c END,
    -- One in five comes decomposed, as some systems write it.
    CASE WHEN sync AND c % 5 = 3 THEN normalize(name, NFD) WHEN sync THEN name END,
    CASE WHEN sync THEN 'citizen' END, CASE WHEN sync THEN '079090' || lpad(c::text, 6, '0') END,
    CASE WHEN sync THEN 'Dân tộc (mã): 01; tôn giáo (mã): 00; hộ nghèo: không' END,
    CASE WHEN sync AND c % 2 = 0 THEN 'nguoi-nop-' || c || '@cong-dan.example' END,
    CASE WHEN sync THEN '0599' || lpad((c % 1000000)::text, 6, '0') END,
    CASE WHEN sync THEN 'Hồ sơ Thủ tục hộ tịch (mẫu A)' END,
    CASE WHEN sync THEN '2026-11-02 08:00:00' END, CASE WHEN sync THEN '2026-11-07 08:00:00' END,
    CASE WHEN sync AND step >= 3 THEN '2026-11-02 11:30:00' END, CASE WHEN step = 4 THEN at END,
    CASE WHEN NOT sync THEN NULL WHEN c % 3 = 0 THEN 'post' ELSE 'counter' END,
    CASE WHEN sync THEN 'Ủy ban nhân dân Phường Sài Gòn' END,
    CASE WHEN sync THEN format('[{"id":"tl-%1$s-1","name":"to-khai.pdf","part":"TP01","url":'
        '"https://files.sai-gon.example/%1$s/to-khai.pdf"},{"id":"tl-%1$s-2","name":'
        '"anh-can-cuoc.jpg","part":"TP02","url":"https://files.sai-gon.example/%1$s/a.jpg"}]', c) END,
    CASE WHEN sync THEN '[{"name":"Lệ phí (mẫu)","code":"LP01","amount":8000}]' END,
    CASE WHEN NOT sync THEN 'Cán bộ mẫu' END,
    CASE WHEN NOT sync THEN 'Công chức chuyên môn' END,
    CASE WHEN NOT sync THEN 'Trung tâm Phục vụ hành chính công' END,
    CASE WHEN NOT sync THEN 'Đang thụ lý hồ sơ (mẫu)' END
FROM (
    SELECT n, c, step, step <> 2 AS sync, 'H29.40-261102-' || lpad(c::text, 7, '0') AS code,
        format('2026-11-02 %s:30:00', lpad((8 + step)::text, 2, '0')) AS at,
        (ARRAY['Nguyễn', 'Trần', 'Lê', 'Phạm'])[1 + c % 4] || ' Thị Người Nộp ' || c AS name
    FROM (
        SELECT n, n / 5000 * 1000 + n % 1000 AS c, n % 5000 / 1000 AS step
        FROM generate_series(0, ROW_COUNT - 1) AS numbers (n)
    ) AS places
) AS rows
ORDER BY n;

VACUUM ANALYZE TABLE_NAME;
