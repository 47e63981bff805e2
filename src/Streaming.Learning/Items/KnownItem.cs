using Streaming.Models.State;

namespace Streaming.Learning.Items;

/// <summary>An item known to another model.</summary>
/// <param name="Key">Its key.</param>
/// <param name="Id">Its id.</param>
/// <param name="Row">Its row in that model.</param>
public readonly record struct KnownItem(ulong Key, string Id, int Row)
{
    /// <summary>Gets a value indicating whether it has a catalogue record.</summary>
    public bool HasRecord { get; init; }

    /// <summary>Gets its heat in the eviction clock, 0 … 15.</summary>
    public byte Heat { get; init; }

    /// <summary>Gets the number of its events.</summary>
    public long Events { get; init; }

    /// <summary>Gets the time of its newest event, Unix milliseconds; 0 when there was none.</summary>
    public long NewestEvent { get; init; }

    /// <summary>Gets when it was last seen, with an event or a record, Unix milliseconds.</summary>
    public long LastSeen { get; init; }

    /// <summary>Gets when it became known, Unix milliseconds; 0: unknown.</summary>
    public long Since { get; init; }

    /// <summary>Gets its popularity of late (<see cref="Items.Popularity"/>), milliseconds; 0: unknown.</summary>
    public double Popularity { get; init; }

    /// <summary>Gets its attributes, a JSON object; null: none.</summary>
    public string? Attributes { get; init; }

    /// <summary>Gets the mean number of draws between its events; 0: unknown.</summary>
    public double Gap { get; init; }

    /// <summary>Gets the number of draws since its last event.</summary>
    public long Silence { get; init; }

    /// <summary>Reads the items of a stored model, without their frequencies.</summary>
    /// <param name="trainer">The trainer's state outside the engine: a checkpoint.</param>
    /// <exception cref="StateMismatchException">The state is damaged.</exception>
    public static KnownItem[] ReadAll(TensorSource trainer) => StoredItems.Read(new TensorReader(trainer));
}
