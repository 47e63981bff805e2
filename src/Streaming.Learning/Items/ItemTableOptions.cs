using Streaming.Core.Options;
using Streaming.Models.Options;

namespace Streaming.Learning.Items;

/// <summary>Which items get a row, and for how long. The number of rows is <see cref="ModelOptions.ItemCapacity"/>.</summary>
public sealed record ItemTableOptions
{
    /// <summary>Gets the number of events that admit an item without a catalogue record. Default 1; 1 … 1,000.</summary>
    public int AdmitAfter { get; init; } = 1;

    /// <summary>Gets the number of unadmitted items counted at a time. Default 65,536; 8 … 16,777,216.</summary>
    public int AdmissionCapacity { get; init; } = 65_536;

    /// <summary>Gets a value indicating whether only items with a catalogue record get a row, however many events others have.
    /// Default false.</summary>
    public bool CatalogueOnly { get; init; }

    /// <summary>Gets how many items removed by the catalogue are remembered: only a catalogue record brings them back, events do not.
    /// Default 262,144; 0 … 16,777,216.</summary>
    public int RememberRemoved { get; init; } = 262_144;

    /// <summary>
    /// Gets the event time without an event after which an item without a catalogue record loses its row. Default 730 days; above
    /// zero. Items with a record stay until the catalogue removes them: the record will not be sent again.
    /// </summary>
    public TimeSpan EvictAfter { get; init; } = TimeSpan.FromDays(730);

    /// <summary>Gets the time after which an event counts half in an item's popularity of late, which is published with its facts. Default
    /// 1 day; 1 minute … 365 days.</summary>
    public TimeSpan PopularityHalfLife { get; init; } = TimeSpan.FromDays(1);

    /// <summary>
    /// Gets the number of rows at the start of the table that items without a row share, by hash. Default 0: a 64th of the
    /// capacity, at least 1, at most 1,024. Otherwise 1 … half of the capacity.
    /// </summary>
    public int FallbackRows { get; init; }

    /// <summary>Gets the number of fallback rows for a table.</summary>
    /// <param name="capacity">Rows of the table.</param>
    public int FallbackRowsFor(int capacity) => FallbackRows > 0 ? FallbackRows : Math.Clamp(capacity / 64, 1, 1024);

    /// <summary>Validates every property.</summary>
    /// <param name="capacity">Rows of the table.</param>
    /// <exception cref="OptionsException">Names every property that is wrong, its value and what is allowed.</exception>
    public void Validate(int capacity)
    {
        var errors = new OptionErrors();
        errors.Range(nameof(AdmitAfter), AdmitAfter, 1, 1_000);
        errors.Range(nameof(AdmissionCapacity), AdmissionCapacity, 8, 16_777_216);
        errors.Range(nameof(RememberRemoved), RememberRemoved, 0, 16_777_216);
        errors.Check(EvictAfter > TimeSpan.Zero, nameof(EvictAfter), EvictAfter, "above 0");
        errors.Range(nameof(PopularityHalfLife), PopularityHalfLife, TimeSpan.FromMinutes(1), TimeSpan.FromDays(365));
        errors.Check(
            FallbackRows >= 0 && FallbackRows <= capacity / 2,
            nameof(FallbackRows),
            FallbackRows,
            $"0 … {capacity / 2} (half of ItemCapacity)"
        );
        errors.Throw();
    }
}
