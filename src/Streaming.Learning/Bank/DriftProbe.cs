using System.Numerics.Tensors;
using Streaming.Learning.Engine;
using Streaming.Learning.Items;
using Streaming.Models.State;

namespace Streaming.Learning.Bank;

/// <summary>
/// Drift of item embeddings over 1, 5 and 10 steps on a fixed set of items (Wang, Zhu, He, SIGIR 2021, eq. 5), divided by
/// the sum of the norms so that it needs no scale: Σ‖e_t − e_{t−Δ}‖ / Σ‖e_t‖.
/// </summary>
/// <remarks>
/// One copy of the embeddings per round serves all three distances. The set changes only when an item loses its row, and only
/// between rounds.
/// </remarks>
internal sealed class DriftProbe
{
    public const int LongestGap = 10;
    private static readonly int[] Distances = [1, 5, LongestGap];
    private readonly TrainingEngine _engine;
    private readonly ItemTable _items;
    private readonly ulong[] _keys;
    private readonly int[] _rows;
    private readonly float[] _before;
    private readonly float[] _now;
    private readonly double[] _drift = [double.NaN, double.NaN, double.NaN];
    private int _count;
    private int _age = int.MaxValue;

    public DriftProbe(TrainingEngine engine, ItemTable items, int probes)
    {
        _engine = engine;
        _items = items;
        _keys = new ulong[probes];
        _rows = new int[probes];
        _before = new float[probes * engine.Model.Dimension];
        _now = new float[_before.Length];
    }

    /// <summary>Gets the newest drift over 1, 5 and 10 steps; NaN until measured.</summary>
    public ReadOnlySpan<double> Drift => _drift;

    /// <summary>Starts a round: copies the current embeddings.</summary>
    public void Begin()
    {
        ChooseItems();
        _engine.EncodeItems(_rows.AsSpan(0, _count), _before.AsSpan(0, _count * _engine.Model.Dimension));
        _age = 0;
    }

    /// <summary>Call after each step of the engine.</summary>
    /// <returns>True when this step ended a round: all three distances are new.</returns>
    public bool AfterStep()
    {
        if (_age >= LongestGap)
        {
            return false;
        }

        _age++;
        int distance = Array.IndexOf(Distances, _age);
        if (distance >= 0)
        {
            _drift[distance] = Measure();
        }

        return _age == LongestGap;
    }

    public void Save(TensorSet tensors)
    {
        tensors.Add<int>("bank.probe.progress", [_count, _age]);
        tensors.Add<double>("bank.probe.drift", _drift);
        tensors.Add<ulong>("bank.probe.keys", _keys);
        tensors.Add<float>("bank.probe.before", _before);
    }

    public void Load(TensorReader tensors)
    {
        int[] progress = new int[2];
        tensors.Read<int>("bank.probe.progress", progress);
        tensors.Read<double>("bank.probe.drift", _drift);
        tensors.Read<ulong>("bank.probe.keys", _keys);
        tensors.Read<float>("bank.probe.before", _before);
        _count = Math.Clamp(progress[0], 0, _keys.Length);
        _age = Math.Max(progress[1], 0);
    }

    private double Measure()
    {
        int dimension = _engine.Model.Dimension;
        for (int i = 0; i < _count; i++)
        {
            _rows[i] = _items.RowOf(_keys[i]);
        }

        _engine.EncodeItems(_rows.AsSpan(0, _count), _now.AsSpan(0, _count * dimension));
        double moved = 0;
        double norms = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_items.Find(_keys[i]) < 0)
            {
                continue;
            }

            ReadOnlySpan<float> now = _now.AsSpan(i * dimension, dimension);
            moved += TensorPrimitives.Distance(now, _before.AsSpan(i * dimension, dimension));
            norms += TensorPrimitives.Norm(now);
        }

        return norms > 0 ? moved / norms : double.NaN;
    }

    private void ChooseItems()
    {
        int kept = 0;
        for (int i = 0; i < _count; i++)
        {
            if (_items.Find(_keys[i]) >= 0)
            {
                _keys[kept++] = _keys[i];
            }
        }

        _count = kept;
        ReadOnlySpan<int> rows = _items.Rows;
        for (int i = 0; i < _keys.Length && _count < Math.Min(_keys.Length, rows.Length); i++)
        {
            // Spread over the table, so that the set has both old and new items.
            ulong key = _items.KeyOf(rows[(int)((long)i * rows.Length / _keys.Length)]);
            if (!_keys.AsSpan(0, _count).Contains(key))
            {
                _keys[_count++] = key;
            }
        }

        for (int i = 0; i < _count; i++)
        {
            _rows[i] = _items.Find(_keys[i]);
        }
    }
}
