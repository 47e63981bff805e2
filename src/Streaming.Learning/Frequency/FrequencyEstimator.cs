using Streaming.Learning.Items;
using Streaming.Models.State;

namespace Streaming.Learning.Frequency;

/// <summary>
/// Estimates how often an item is drawn, from a stream of batches, in fixed memory: the mean gap between its occurrences, kept in
/// m hash tables (Yi et al., RecSys 2019, Algorithms 2 and 3). A collision only shortens a gap, so the longest of an item's m gaps
/// is the best estimate.
/// </summary>
/// <remarks>
/// Time is counted in draws (examples), not in batches: a gap of g batches of B rows is g·B draws, and the probability per draw
/// is q = p / B = 1 / gap. With a constant batch size this is the paper's estimator; when the size varies, as in a live stream,
/// nothing needs rescaling. An item counts once per batch: p is the probability of being in it.
/// </remarks>
public sealed class FrequencyEstimator
{
    private const long Never = -1;
    private readonly FrequencyOptions _options;
    private readonly int _slots;
    private readonly ulong _seed;

    // [m × H]: time of the last occurrence (A), mean gap in draws (B), and number of gaps averaged, up to 255.
    private readonly PagedArray<long> _lastSight;
    private readonly PagedArray<float> _meanGap;
    private readonly PagedArray<byte> _gaps;
    private long _occupied;
    private int _rows = 1;

    /// <summary>Creates an empty estimator.</summary>
    /// <param name="options">Settings.</param>
    /// <param name="slots">Slots per table, H, 1 and up: see <see cref="FrequencyOptions.SlotsFor"/>.</param>
    /// <param name="seed">Seed of the hash functions.</param>
    public FrequencyEstimator(FrequencyOptions options, int slots, ulong seed)
    {
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(slots, 1);
        options.Validate();
        _options = options;
        _slots = slots;
        _seed = seed;
        int size = checked(options.Tables * slots);
        _lastSight = new PagedArray<long>(size);
        _meanGap = new PagedArray<float>(size);
        _gaps = new PagedArray<byte>(size);
        _lastSight.Data.Fill(options.StartAtZero ? 0 : Never);
    }

    /// <summary>Gets the number of draws so far: every counted example, once.</summary>
    public long Draws { get; private set; }

    /// <summary>Gets the number of batches so far.</summary>
    public long Batches { get; private set; }

    /// <summary>Starts the next batch.</summary>
    /// <param name="rows">Rows of the batch, 1 and up.</param>
    public void BeginBatch(int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        if (Batches == 0 && _options.StartAtZero)
        {
            _meanGap.Touch(0, _meanGap.Length);
            _meanGap.Data.Fill((float)(_options.PriorGap * rows));
        }

        Batches++;
        Draws += rows;
        _rows = rows;
    }

    /// <summary>Counts an item of the current batch. A second call for it in the same batch changes nothing.</summary>
    public void Count(ulong key)
    {
        for (int table = 0; table < _options.Tables; table++)
        {
            Count(Slot(table, key), table);
        }
    }

    /// <summary>The estimated probability that a draw is this item, above 0, at most 1 / rows of the batch.</summary>
    public double Probability(ulong key) => 1 / Gap(key);

    /// <summary>ln of <see cref="Probability"/>.</summary>
    public float LogProbability(ulong key) => (float)-Math.Log(Gap(key));

    /// <summary>Reads a stored estimator, with tables of any size.</summary>
    internal static FrequencyEstimator Read(TensorReader tensors, FrequencyOptions options, ulong seed)
    {
        int size = tensors.Length("frequency.last_sight");
        if (size < options.Tables || size % options.Tables != 0)
        {
            throw new StateMismatchException(
                $"The frequency tables have {size} slots in total, which is not a multiple of {options.Tables} tables."
            );
        }

        var estimator = new FrequencyEstimator(options, size / options.Tables, seed);
        estimator.Load(tensors);
        return estimator;
    }

    /// <summary>Adds the frequency statistics of an item.</summary>
    internal KnownItem Describe(KnownItem item)
    {
        double gap = 0;
        long last = Draws;
        for (int table = 0; table < _options.Tables; table++)
        {
            int slot = Slot(table, item.Key);
            if (_lastSight[slot] == Never)
            {
                return item;
            }

            // A collision only shortens a gap and only makes an occurrence later.
            gap = Math.Max(gap, _meanGap[slot]);
            last = Math.Min(last, _lastSight[slot]);
        }

        return item with
        {
            Gap = gap,
            Silence = Draws - last,
        };
    }

    /// <summary>Copies frequencies from another estimator into this empty one.</summary>
    internal void Adopt(IEnumerable<KnownItem> items, long draws)
    {
        BeginBatch(1);
        Draws = draws;
        foreach (KnownItem item in items.Where(static item => item.Gap > 0))
        {
            for (int table = 0; table < _options.Tables; table++)
            {
                int slot = Slot(table, item.Key);
                bool taken = _gaps[slot] > 0;
                _occupied += table == 0 && !taken ? 1 : 0;
                _meanGap.Change(slot) = (float)(taken ? Math.Min(_meanGap[slot], item.Gap) : item.Gap);
                _lastSight.Change(slot) = Math.Max(_lastSight[slot], Math.Max(draws - item.Silence, 0));
                _gaps.Change(slot) = (byte)Math.Clamp(item.Events, 1, byte.MaxValue);
            }
        }
    }

    internal void Save(TensorSet tensors)
    {
        tensors.Add<long>("frequency.clock", [Draws, Batches, _occupied, _rows]);
        tensors.Share("frequency.last_sight", _lastSight);
        tensors.Share("frequency.mean_gap", _meanGap);
        tensors.Share("frequency.gaps", _gaps);
    }

    internal void Load(TensorReader tensors)
    {
        long[] clock = new long[4];
        tensors.Read<long>("frequency.clock", clock);
        (Draws, Batches, _occupied, _rows) = (clock[0], clock[1], clock[2], (int)Math.Clamp(clock[3], 1, int.MaxValue));
        tensors.Read("frequency.last_sight", _lastSight.Data);
        tensors.Read("frequency.mean_gap", _meanGap.Data);
        tensors.Read("frequency.gaps", _gaps.Data);
    }

    private void Count(int slot, int table)
    {
        long gap = Draws - _lastSight[slot];
        if (_lastSight[slot] == Never)
        {
            _meanGap.Change(slot) = (float)Prior();
            _occupied += table == 0 ? 1 : 0;
        }
        else if (gap == 0)
        {
            return;
        }
        else
        {
            // The prior counts as one gap.
            bool averaging = _options.AverageFirstGaps && _gaps[slot] < byte.MaxValue;
            double weight = averaging ? Math.Max(_options.Alpha, 1.0 / (_gaps[slot] + 2)) : _options.Alpha;
            _meanGap.Change(slot) = (float)(((1 - weight) * _meanGap[slot]) + (weight * gap));
            _gaps.Change(slot) = (byte)Math.Min(_gaps[slot] + 1, byte.MaxValue);
        }

        _lastSight.Change(slot) = Draws;
    }

    private double Gap(ulong key)
    {
        // At most once per batch: p is at most 1.
        double longest = _rows;
        for (int table = 0; table < _options.Tables; table++)
        {
            int slot = Slot(table, key);
            long last = _lastSight[slot];
            double gap = last == Never ? Math.Max(Prior(), Draws + _rows) : _meanGap[slot];
            longest = Math.Max(longest, gap);
            if (_options.CountSilence && last != Never)
            {
                longest = Math.Max(longest, Draws - last);
            }
        }

        return longest;
    }

    /// <summary>In draws.</summary>
    private double Prior() => _options.PriorGap > 0 ? _options.PriorGap * _rows : Math.Max(_occupied, _rows);

    private int Slot(int table, ulong key) => (table * _slots) + KeyMix.Reduce(KeyMix.Mix(_seed + (ulong)table, key), _slots);
}
