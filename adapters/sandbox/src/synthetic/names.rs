//! Name parts, in Unicode NFC, weighted by how often they stand in the list.

/// Family names.
pub(super) const FAMILY: &[&str] = &[
    "Nguyễn", "Nguyễn", "Nguyễn", "Nguyễn", "Nguyễn", "Nguyễn", "Nguyễn", "Nguyễn", "Trần", "Trần",
    "Trần", "Lê", "Lê", "Lê", "Phạm", "Phạm", "Huỳnh", "Huỳnh", "Hoàng", "Phan", "Phan", "Vũ",
    "Võ", "Võ", "Đặng", "Bùi", "Đỗ", "Hồ", "Ngô", "Dương", "Lý", "Đinh", "Trịnh", "Lâm", "Mai",
    "Trương", "Cao", "Đoàn", "Thạch", "Sơn", "Châu", "Tạ", "Quách", "Tăng", "Lương",
];

/// Middle names of men.
pub(super) const MIDDLE_MALE: &[&str] = &[
    "Văn", "Văn", "Văn", "Hữu", "Đức", "Minh", "Quốc", "Thanh", "Công", "Xuân", "Đình", "Gia",
    "Hoàng", "Anh", "Ngọc", "Trọng", "Tấn", "Nhật", "Bảo", "Khắc",
];

/// Middle names of women.
pub(super) const MIDDLE_FEMALE: &[&str] = &[
    "Thị",
    "Thị",
    "Thị",
    "Thị Mỹ",
    "Thị Thu",
    "Thị Ngọc",
    "Ngọc",
    "Thanh",
    "Thu",
    "Kim",
    "Mỹ",
    "Hồng",
    "Phương",
    "Bích",
    "Thùy",
    "Khánh",
    "Minh",
    "Quỳnh",
    "Diệu",
    "Tuyết",
];

/// Given names of men.
pub(super) const GIVEN_MALE: &[&str] = &[
    "Hùng", "Dũng", "Tuấn", "Nam", "Hải", "Long", "Phúc", "Thịnh", "Khang", "Khoa", "Đạt", "Trí",
    "Kiên", "Quân", "Sơn", "Bình", "Toàn", "Thắng", "Vinh", "Tài", "Lộc", "Nghĩa", "Hiếu", "Tâm",
    "Phong", "Cường", "Đăng", "Huy", "Thiện", "Ân", "Triết", "Vũ",
];

/// Given names of women.
pub(super) const GIVEN_FEMALE: &[&str] = &[
    "Hoa",
    "Lan",
    "Hương",
    "Mai",
    "Trang",
    "Linh",
    "Nhung",
    "Thảo",
    "Vy",
    "Ngân",
    "Hạnh",
    "Yến",
    "Nga",
    "Hà",
    "Thủy",
    "Hằng",
    "Loan",
    "Phượng",
    "Tuyền",
    "Uyên",
    "Châu",
    "Đào",
    "Nguyệt",
    "Quyên",
    "Trâm",
    "Diễm",
    "Như",
    "Hòa",
    "Thư",
    "Xuân",
    "Ly",
    "Tiên",
];

/// Streets, without numbers; common street names of any town.
pub(super) const STREETS: &[&str] = &[
    "đường Hoa Sen",
    "đường Hoa Mai",
    "đường Số 1",
    "đường Số 2",
    "đường Số 7",
    "đường Số 12",
    "hẻm 15 đường Hòa Bình",
    "đường Bình Minh",
    "đường Ven Sông",
    "đường Cây Keo",
    "khu phố 3, đường Tân Lập",
    "đường Rạch Mới",
];

/// Ethnic groups by the statistics office's code (Kinh, Tay, Hoa, Khmer, Muong, Nung, Cham), as
/// commonly listed; to be set to the national table before any real use.
pub(super) const ETHNICITY: &[&str] = &[
    "01", "01", "01", "01", "01", "01", "01", "01", "01", "01", "01", "04", "04", "05", "02", "06",
    "07", "16",
];

/// Religions, as this stand-in's own codes: none, Buddhism, Catholicism, Protestantism, Cao Dai,
/// Hoa Hao, Islam.
pub(super) const RELIGION: &[&str] =
    &["00", "00", "00", "00", "00", "00", "01", "01", "02", "02", "03", "04", "05", "06"];
