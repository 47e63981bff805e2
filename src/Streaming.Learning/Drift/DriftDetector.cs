using Streaming.Models.State;

namespace Streaming.Learning.Drift;

/// <summary>
/// Notices that what was learned no longer holds: the recall of the newest examples is significantly below that of those before (the
/// test of equal proportions of Nishida and Yamauchi, "Detecting Concept Drift Using Statistical Testing", 2007), and less than a share
/// of it, since in a long stream every small change is significant.
/// </summary>
/// <remarks>
/// Events of one user in a row are found or missed together, so they tell less than as many of different users: the variance is
/// multiplied by the design effect (Kish, "Survey Sampling", 1965), measured on the stream as the variance of the hits of such runs over
/// that of independent ones. After a detection, it compares only what follows: the same drop is not reported twice. Part of the trainer's
/// state.
/// </remarks>
internal sealed class DriftDetector
{
    // Four standard deviations: windows overlap, and there are many.
    private const double Significance = 4;

    // The design effect is that of the last 200 runs or so.
    private const double Memory = 0.995;
    private readonly DriftOptions _options;
    private readonly float[] _hits;
    private int _count;
    private int _next;
    private double _recent;
    private double _before;
    private ulong _user;
    private int _run;
    private double _runHits;
    private double _runVariance;
    private double _independentVariance;

    /// <summary>Creates a detector.</summary>
    /// <param name="options">Settings.</param>
    public DriftDetector(DriftOptions options)
    {
        _options = options;
        _hits = new float[options.Window == 0 ? 0 : options.Window + options.Reference];
    }

    /// <summary>Gets the number of detections.</summary>
    public long Detections { get; private set; }

    /// <summary>Gets by how much the variance of recall exceeds that of independent examples, 1 and up.</summary>
    public double DesignEffect => Math.Max(1, _independentVariance > 0 ? _runVariance / _independentVariance : 1);

    /// <summary>Records an example that was scored before it was learned.</summary>
    /// <param name="user">Its user.</param>
    /// <param name="hit">Whether its item was found, 0 … 1: with ties, the probability.</param>
    /// <param name="drop">The drop, if this example shows one.</param>
    /// <returns>Whether it does.</returns>
    public bool Record(ulong user, double hit, out RecallDrop drop)
    {
        drop = default;
        if (_hits.Length == 0)
        {
            return false;
        }

        Follow(user, hit);

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
        tensors.Add<long>("drift.counts", [_count, _next, Detections, (long)_user, _run]);
        tensors.Add<double>("drift.runs", [_runHits, _runVariance, _independentVariance]);
        tensors.Add<float>("drift.hits", _hits);
    }

    /// <summary>Reads the output of <see cref="Save"/>. With other windows, or in a state of an earlier version, it starts empty.</summary>
    public void Load(TensorReader tensors)
    {
        (_count, _next, _recent, _before, Detections) = (0, 0, 0, 0, 0);
        (_user, _run, _runHits, _runVariance, _independentVariance) = (0, 0, 0, 0, 0);
        if (!tensors.Has("drift.counts"))
        {
            return;
        }

        long[] counts = new long[5];
        double[] runs = new double[3];
        tensors.Read<long>("drift.counts", counts);
        tensors.Read<double>("drift.runs", runs);
        (Detections, _user, _run) = (counts[2], (ulong)counts[3], (int)counts[4]);
        (_runHits, _runVariance, _independentVariance) = (runs[0], runs[1], runs[2]);
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

    private void Follow(ulong user, double hit)
    {
        if (user != _user && _run > 0 && _count > 0)
        {
            double recall = (_recent + _before) / _count;
            double excess = _runHits - (_run * recall);
            _runVariance = (Memory * _runVariance) + (excess * excess);
            _independentVariance = (Memory * _independentVariance) + (_run * recall * (1 - recall));
            (_run, _runHits) = (0, 0);
        }

        _user = user;
        _run++;
        _runHits += hit;
    }

    private bool IsDrop(double recent, double before)
    {
        if (recent >= _options.MaxShare * before)
        {
            return false;
        }

        double pooled = (_recent + _before) / _hits.Length;
        double variance = pooled * (1 - pooled) * ((1.0 / _options.Window) + (1.0 / _options.Reference)) * DesignEffect;
        return before - recent >= Significance * Math.Sqrt(variance);
    }
}
