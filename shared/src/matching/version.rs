//! Versions of a song, and sets of them.

/// A version of a song other than its studio recording.
///
/// Remasters, mono, stereo, deluxe, single and album versions are the studio recording itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Version {
    Live,
    Karaoke,
    Tribute,
    Cover,
    SpedUp,
    Slowed,
    EightD,
    Remix,
    Acoustic,
    Demo,
    ReRecorded,
    Instrumental,
    /// Another language, another line-up, an outtake.
    Alternate,
    RadioEdit,
    Extended,
}

impl Version {
    const ALL: [Self; 15] = [
        Self::Live,
        Self::Karaoke,
        Self::Tribute,
        Self::Cover,
        Self::SpedUp,
        Self::Slowed,
        Self::EightD,
        Self::Remix,
        Self::Acoustic,
        Self::Demo,
        Self::ReRecorded,
        Self::Instrumental,
        Self::Alternate,
        Self::RadioEdit,
        Self::Extended,
    ];

    /// Whether only a listener who asks for it may get it, whatever the model proposes.
    #[must_use]
    pub const fn must_be_asked_for(self) -> bool {
        matches!(
            self,
            Self::Live
                | Self::Karaoke
                | Self::Tribute
                | Self::Cover
                | Self::SpedUp
                | Self::Slowed
                | Self::EightD
        )
    }

    /// What an unasked version takes off the score: 0.20 and more can never be accepted.
    pub(super) const fn penalty(self) -> f64 {
        match self {
            Self::RadioEdit => 0.02,
            Self::Extended => 0.04,
            Self::ReRecorded => 0.10,
            Self::Acoustic | Self::Alternate => 0.12,
            Self::Remix | Self::Demo | Self::Instrumental => 0.25,
            _ => 1.0,
        }
    }
}

/// A set of versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Versions(u32);

impl Versions {
    pub(super) fn insert(&mut self, version: Version) {
        self.0 |= 1 << (version as u32);
    }

    pub(super) fn contains(self, version: Version) -> bool {
        self.0 & (1 << (version as u32)) != 0
    }

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(super) fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn iter(self) -> impl Iterator<Item = Version> {
        Version::ALL.into_iter().filter(move |version| self.contains(*version))
    }
}

impl FromIterator<Version> for Versions {
    fn from_iter<I: IntoIterator<Item = Version>>(versions: I) -> Self {
        let mut set = Self::default();
        versions.into_iter().for_each(|version| set.insert(version));
        set
    }
}
