using Streaming.Core.Options;

namespace Streaming.Lab.Simulation;

/// <summary>Options of the simulated shop.</summary>
internal sealed record SimulatorOptions
{
    /// <summary>Gets the seed: the same seed gives the same stream. Default 1.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>Gets the initial number of items. Default 2,000; 100 … 1,000,000.</summary>
    public int Items { get; init; } = 2_000;

    /// <summary>Gets the initial number of users. Default 1,500; 10 … 10,000,000.</summary>
    public int Users { get; init; } = 1_500;

    /// <summary>Gets the number of item clusters. Default 50; 2 … 1,000.</summary>
    public int Clusters { get; init; } = 50;

    /// <summary>Gets the Zipf exponent of popularity within a cluster. Default 1.1; 0 … 3.</summary>
    public double Zipf { get; init; } = 1.1;

    /// <summary>Gets the number of events between two new items. Default 50; 1 and up.</summary>
    public int EventsPerNewItem { get; init; } = 50;

    /// <summary>Gets the share of sessions by new users. Default 0.1; 0 … 1.</summary>
    public double NewUserShare { get; init; } = 0.1;

    /// <summary>Gets the mean number of events per session. Default 8; 1 … 1,000.</summary>
    public double SessionLength { get; init; } = 8;

    /// <summary>Gets the number of events after which cluster popularity has turned over. Default 20,000; 1 and up.</summary>
    public int DriftEvents { get; init; } = 20_000;

    /// <summary>Gets the length of the feature group "text" of item records. Default 0: none; 0 … 4,096.</summary>
    public int Features { get; init; }

    /// <summary>Gets the share of items whose titles do not name their kind. Default 0; 0 … 1.</summary>
    public double PlainTitleShare { get; init; }

    /// <summary>Gets the share of items without a picture, where pictures are drawn. Default 0; 0 … 1.</summary>
    public double NoPictureShare { get; init; }

    /// <summary>Gets the share of records that are sent twice. Default 0.002; 0 … 0.5.</summary>
    public double DuplicateShare { get; init; } = 0.002;

    /// <summary>Gets the share of records that are not events. Default 0.001; 0 … 0.5.</summary>
    public double MalformedShare { get; init; } = 0.001;

    /// <summary>Gets the share of events that arrive a day late. Default 0.002; 0 … 0.5.</summary>
    public double LateShare { get; init; } = 0.002;

    /// <summary>Checks every property.</summary>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate()
    {
        var errors = new OptionErrors();
        errors.Range(nameof(Items), Items, 100, 1_000_000);
        errors.Range(nameof(Users), Users, 10, 10_000_000);
        errors.Check(
            Clusters is >= 2 and <= 1_000 && Clusters <= Items / 2,
            nameof(Clusters),
            Clusters,
            "2 … 1000 and at most half of Items"
        );
        errors.Range(nameof(Zipf), Zipf, 0, 3);
        errors.Check(EventsPerNewItem >= 1, nameof(EventsPerNewItem), EventsPerNewItem, "1 and up");
        errors.Range(nameof(NewUserShare), NewUserShare, 0, 1);
        errors.Range(nameof(SessionLength), SessionLength, 1, 1_000);
        errors.Check(DriftEvents >= 1, nameof(DriftEvents), DriftEvents, "1 and up");
        errors.Range(nameof(Features), Features, 0, 4_096);
        errors.Range(nameof(PlainTitleShare), PlainTitleShare, 0, 1);
        errors.Range(nameof(NoPictureShare), NoPictureShare, 0, 1);
        errors.Range(nameof(DuplicateShare), DuplicateShare, 0, 0.5);
        errors.Range(nameof(MalformedShare), MalformedShare, 0, 0.5);
        errors.Range(nameof(LateShare), LateShare, 0, 0.5);
        errors.Throw();
    }
}
