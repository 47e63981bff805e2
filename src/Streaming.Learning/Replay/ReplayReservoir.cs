using Streaming.Learning.Items;
using Streaming.Models.State;

namespace Streaming.Learning.Replay;

/// <summary>
/// A bounded random sample of past examples. A stream delivers each event once; the reservoir repeats it.
/// </summary>
/// <remarks>
/// Randomness is a function of the seed and of the number of examples offered and drawn, so the same stream gives the same
/// sample, and a restored reservoir continues as if uninterrupted.
/// </remarks>
internal sealed class ReplayReservoir
{
    private readonly ReplayOptions _options;
    private readonly ulong _seed;
    private readonly int _historyLength;
    private readonly PagedArray<ulong> _items;
    private readonly PagedArray<float> _weights;
    private readonly PagedArray<int> _lengths;
    private readonly PagedArray<ulong> _histories;
    private long _offered;
    private long _drawn;
    private double _owed;

    /// <summary>Creates an empty reservoir.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="historyLength">Maximum items per history, L.</param>
    /// <param name="seed">Seed.</param>
    public ReplayReservoir(ReplayOptions options, int historyLength, ulong seed)
    {
        options.Validate();
        _options = options;
        _seed = seed;
        _historyLength = historyLength;
        int capacity = options.Ratio > 0 ? options.Capacity : 0;
        _items = new PagedArray<ulong>(capacity);
        _weights = new PagedArray<float>(capacity);
        _lengths = new PagedArray<int>(capacity);
        _histories = new PagedArray<ulong>(checked(capacity * historyLength));
    }

    /// <summary>Gets the number of examples kept.</summary>
    public int Count { get; private set; }

    /// <summary>The number of examples to add to a batch of new ones. Fractions carry over to the next batch.</summary>
    public int Due(int newExamples)
    {
        if (Count == 0)
        {
            return 0;
        }

        _owed += _options.Ratio * newExamples;
        int due = (int)_owed;
        _owed -= due;
        return due;
    }

    /// <summary>Draws a slot at random.</summary>
    public int Draw() => KeyMix.Reduce(KeyMix.Mix(_seed ^ 0xD4A3, (ulong)_drawn++), Count);

    /// <summary>The positive item of a slot.</summary>
    public ulong Item(int slot) => _items[slot];

    /// <summary>The weight of a slot.</summary>
    public float Weight(int slot) => _weights[slot];

    /// <summary>The history of a slot, oldest first.</summary>
    public ReadOnlySpan<ulong> History(int slot) => _histories.Data.Slice(slot * _historyLength, _lengths[slot]);

    /// <summary>Offers an example; it may or may not be kept.</summary>
    public void Offer(ulong item, float weight, ReadOnlySpan<ulong> history)
    {
        if (_items.Length == 0)
        {
            return;
        }

        int slot = Place();
        if (slot < 0)
        {
            return;
        }

        history = history.Length > _historyLength ? history[^_historyLength..] : history;
        _items.Change(slot) = item;
        _weights.Change(slot) = weight;
        _lengths.Change(slot) = history.Length;
        _histories.Touch(slot * _historyLength, history.Length);
        history.CopyTo(_histories.Data[(slot * _historyLength)..]);
    }

    /// <summary>Drops all examples: what follows fills the reservoir as at the beginning of a stream.</summary>
    public void Clear() => (Count, _offered) = (0, 0);

    public void Save(TensorSet tensors)
    {
        tensors.Add<long>("replay.counts", [Count, _offered, _drawn]);
        tensors.AddValue("replay.owed", _owed);
        tensors.Share("replay.items", _items);
        tensors.Share("replay.weights", _weights);
        tensors.Share("replay.lengths", _lengths);
        tensors.Share("replay.histories", _histories);
    }

    public void Load(TensorReader tensors)
    {
        long[] counts = new long[3];
        tensors.Read<long>("replay.counts", counts);
        tensors.Read("replay.items", _items.Data);
        tensors.Read("replay.weights", _weights.Data);
        tensors.Read("replay.lengths", _lengths.Data);
        tensors.Read("replay.histories", _histories.Data);
        if (counts[0] < 0 || counts[0] > _items.Length || _lengths.Data.ContainsAnyExceptInRange(0, _historyLength))
        {
            throw new StateMismatchException(
                $"The replay reservoir's state has {counts[0]} examples of {_items.Length}, or a history longer than {_historyLength}: "
                    + "it is damaged."
            );
        }

        (Count, _offered, _drawn) = ((int)counts[0], counts[1], counts[2]);
        _owed = tensors.ReadValue<double>("replay.owed");
    }

    /// <summary>Copies the examples of a reservoir of any size and history length, as far as there is room.</summary>
    public void Adopt(TensorReader tensors)
    {
        ulong[] items = tensors.ReadArray<ulong>("replay.items", Array.MaxLength);
        float[] weights = tensors.ReadArray<float>("replay.weights", items.Length);
        int[] lengths = tensors.ReadArray<int>("replay.lengths", items.Length);
        ulong[] histories = tensors.ReadArray<ulong>("replay.histories", Array.MaxLength);
        long[] counts = new long[3];
        tensors.Read<long>("replay.counts", counts);
        int stride = histories.Length / Math.Max(items.Length, 1);
        if (
            weights.Length != items.Length
            || lengths.Length != items.Length
            || counts[0] < 0
            || counts[0] > items.Length
            || lengths.AsSpan().ContainsAnyExceptInRange(0, stride)
        )
        {
            throw new StateMismatchException(
                $"The replay reservoir's state has {counts[0]} examples of {items.Length}, or a history longer than {stride}: it is "
                    + "damaged."
            );
        }

        for (int i = 0; i < Math.Min(counts[0], _items.Length); i++)
        {
            Offer(items[i], weights[i], histories.AsSpan(i * stride, lengths[i]));
        }

        _offered = Math.Max(_offered, counts[1]);
    }

    /// <summary>The slot for the example, or −1.</summary>
    private int Place()
    {
        ulong random = KeyMix.Mix(_seed ^ 0x0FFE, (ulong)_offered++);
        if (Count < _items.Length)
        {
            return Count++;
        }

        double keep = Math.Max((double)_items.Length / _offered, _options.Recency);
        return KeyMix.Unit(random) < keep ? KeyMix.Reduce(KeyMix.Mix(random), _items.Length) : -1;
    }
}
