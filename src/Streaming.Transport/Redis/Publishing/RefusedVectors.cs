using System.Globalization;
using Streaming.Core.Events;
using Streaming.Core.Refreshes;

namespace Streaming.Transport.Redis.Publishing;

/// <summary>
/// The items whose newest vector could not be stored, each until a later one is stored or the item is removed: at most the catalogue.
/// Each reason becomes due for the log at most once a minute. Thread-safe.
/// </summary>
/// <param name="time">Clock.</param>
public sealed class RefusedVectors(TimeProvider time)
{
    private const int MostExamples = 3;
    private static readonly int Faults = Enum.GetValues<VectorFault>().Length;

    private readonly Lock _gate = new();
    private readonly Dictionary<ulong, Refusal> _items = [];
    private readonly int[] _counts = new int[Faults];
    private readonly bool[] _grown = new bool[Faults];
    private readonly OncePerMinute[] _log = [.. Enumerable.Range(0, Faults).Select(_ => new OncePerMinute(time))];
    private int _count;

    /// <summary>The number of items that are refused now for a reason.</summary>
    public int Count(VectorFault fault) => Volatile.Read(ref _counts[(int)fault]);

    /// <summary>Describes the items that are refused now for a reason: how many, examples, what is allowed, and what helps.</summary>
    /// <returns>Empty: none.</returns>
    public string Describe(VectorFault fault)
    {
        lock (_gate)
        {
            int count = _counts[(int)fault];
            if (count == 0)
            {
                return string.Empty;
            }

            Refusal[] examples = [.. _items.Values.Where(item => item.Fault == fault).Take(MostExamples)];
            return string.Create(
                CultureInfo.InvariantCulture,
                $"the newest {(count == 1 ? "vector of 1 item is" : $"vectors of {count} items are")} not in Redis: "
                    + $"{Explain(examples[0])}{Others(examples, count)}"
            );
        }
    }

    /// <summary>Takes note that an item's vector was not stored.</summary>
    /// <param name="item">The item.</param>
    /// <param name="fault">Why.</param>
    /// <param name="detail">The number, the length or the key that is at fault.</param>
    internal void Add(in Refresh item, VectorFault fault, string detail)
    {
        lock (_gate)
        {
            Forget(item.ItemKey);
            _items.Add(item.ItemKey, new Refusal(item.ItemId, fault, detail));
            _counts[(int)fault]++;
            _grown[(int)fault] = true;
            Volatile.Write(ref _count, _items.Count);
        }
    }

    /// <summary>Takes note that an item was stored or removed. Costs nothing while no item is refused.</summary>
    internal void Remove(ulong itemKey)
    {
        if (Volatile.Read(ref _count) == 0)
        {
            return;
        }

        lock (_gate)
        {
            Forget(itemKey);
            Volatile.Write(ref _count, _items.Count);
        }
    }

    /// <summary>Whether items are refused for a reason, some of them since it was last due, a minute ago or longer.</summary>
    internal bool IsDue(VectorFault fault)
    {
        lock (_gate)
        {
            _grown[(int)fault] &= _counts[(int)fault] > 0;
            bool due = _grown[(int)fault] && _log[(int)fault].IsDue();
            _grown[(int)fault] &= !due;
            return due;
        }
    }

    private static string Explain(Refusal item) =>
        $"that of {Id(item)} "
        + item.Fault switch
        {
            VectorFault.TooLarge =>
                $"has the number {item.Detail}; Float16 ends at 65,504. Scale the item's features, or set STREAMING__Redis__Element to "
                    + "Float32 or Int8",
            VectorFault.NotFinite => $"has the number {item.Detail}; allowed: finite numbers. Scale the item's features, or lower "
                + "STREAMING__Training__LearningRate__Peak",
            VectorFault.WrongLength => $"has {item.Detail} numbers; allowed: as many as the widest of STREAMING__Model__Widths",
            _ => $"has no place: {item.Detail} is not a string. Delete it, or move whatever writes it",
        };

    private static string Others(Refusal[] examples, int count) =>
        examples.Length == 1
            ? string.Empty
            : $" (also {string.Join(", ", examples.Skip(1).Select(Id))}{(count > examples.Length ? ", …" : string.Empty)})";

    private static string Id(Refusal item) => $"'{ShortText.Line(item.ItemId)}'";

    private void Forget(ulong itemKey)
    {
        if (_items.Remove(itemKey, out Refusal old))
        {
            _counts[(int)old.Fault]--;
        }
    }

    private readonly record struct Refusal(string ItemId, VectorFault Fault, string Detail);
}
