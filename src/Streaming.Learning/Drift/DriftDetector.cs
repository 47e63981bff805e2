using Streaming.Models.State;

namespace Streaming.Learning.Drift;

/// <summary>
/// Notices that what was learned no longer holds: the recall of the newest examples is significantly below that of those before (the
/// test of equal proportions of Nishida and Yamauchi, "Detecting Concept Drift Using Statistical Testing", 2007), and less than a share
/// of it, since in a long stream every small change is significant.
/// </summary>
/// <remarks>After a detection, it compares only what follows: the same drop is not reported twice. Part of the trainer's state.</remarks>
internal sealed class DriftDetector
{
    // One in 3 million windows without a drift; they overlap, and hits of one user are not independent.
    private const double Significance = 5;
    private readonly DriftOptions _options;
    private readonly float[] _hits;
    private int _count;
    private int _next;
    private double _recent;
    private double _before;

    /// <summary>Creates a detector.</summary>
    /// <param name="options">Settings.</param>
    public DriftDetector(DriftOptions options)
    {
        _options = options;
        _hits = new float[options.Window == 0 ? 0 : options.Window + options.Reference];
    }

    /// <summary>Gets the number of detections.</summary>
    public long Detections { get; private set; }

    /// <summary>Records an example that was scored before it was learned.</summary>
    /// <param name="hit">Whether its item was found, 0 … 1: with ties, the probability.</param>
    /// <param name="drop">The drop, if this example shows one.</param>
    /// <returns>Whether it does.</returns>
    public bool Record(double hit, out RecallDrop drop)
    {
        drop = default;
        if (_hits.Length == 0)
        {
            return false;
        }

        // The oldest example leaves the reference, and the oldest of the window enters it.
        _before -= _count == _hits.Length ? _hits[_next] : 0;
        if (_count >= _options.Window)
        {
            float passed = _hits[(_next + _hits.Length - _options.Window) % _hits.Length];
            _recent -= passed;
            _before += passed;
        }

        _hits[_next] = (float)hit;
        _recent += _hits[_next];
        _next = (_next + 1) % _hits.Length;
        _count = Math.Min(_count + 1, _hits.Length);
        if (_count < _hits.Length || !IsDrop(_recent / _options.Window, _before / _options.Reference))
        {
            return false;
        }

        drop = new RecallDrop(_recent / _options.Window, _before / _options.Reference);
        Detections++;
        (_count, _next, _recent, _before) = (0, 0, 0, 0);
        return true;
    }

    public void Save(TensorSet tensors)
    {
        tensors.Add<long>("drift.counts", [_count, _next, Detections]);
        tensors.Add<float>("drift.hits", _hits);
    }

    /// <summary>Reads the output of <see cref="Save"/>. With other windows, or in a state of an earlier version, it starts anew.</summary>
    public void Load(TensorReader tensors)
    {
        (_count, _next, _recent, _before, Detections) = (0, 0, 0, 0, 0);
        if (!tensors.Has("drift.counts"))
        {
            return;
        }

        long[] counts = new long[3];
        tensors.Read<long>("drift.counts", counts);
        Detections = counts[2];
        if (tensors.Length("drift.hits") != _hits.Length)
        {
            return;
        }

        tensors.Read<float>("drift.hits", _hits);
        if (counts[0] < 0 || counts[0] > _hits.Length || counts[1] < 0 || counts[1] >= Math.Max(_hits.Length, 1))
        {
            throw new StateMismatchException(
                $"Tensor drift.counts has {counts[0]} and {counts[1]} for {_hits.Length} examples: it is damaged."
            );
        }

        (_count, _next) = ((int)counts[0], (int)counts[1]);
        for (int age = 1; age <= _count; age++)
        {
            float hit = _hits[(_next + _hits.Length - age) % _hits.Length];
            _recent += age <= _options.Window ? hit : 0;
            _before += age > _options.Window ? hit : 0;
        }
    }

    private bool IsDrop(double recent, double before)
    {
        if (recent >= _options.MaxShare * before)
        {
            return false;
        }

        double pooled = (_recent + _before) / _hits.Length;
        double variance = pooled * (1 - pooled) * ((1.0 / _options.Window) + (1.0 / _options.Reference));
        return before - recent >= Significance * Math.Sqrt(variance);
    }
}
