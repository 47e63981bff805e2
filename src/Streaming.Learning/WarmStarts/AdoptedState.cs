using System.Numerics.Tensors;
using System.Runtime.InteropServices;
using Streaming.Learning.Engine;
using Streaming.Models.Options;
using Streaming.Models.State;

namespace Streaming.Learning.WarmStarts;

/// <summary>
/// The state of an engine built from another model's: matching parts are read from there row by row, the rest is that of a fresh
/// model. Any engine restores it like a checkpoint.
/// </summary>
internal sealed class AdoptedState : TensorSource
{
    private readonly TensorSource _old;
    private readonly Dictionary<string, int> _index = new(StringComparer.Ordinal);
    private readonly ModelOptions _model;
    private readonly ModelOptions _oldModel;
    private readonly Fit _fit;
    private readonly ReadOnlyMemory<int> _oldRows;
    private readonly ReadOnlyMemory<ulong> _keys;
    private readonly List<TensorInfo> _tensors = [];
    private readonly List<Action<int, Span<byte>>> _rows = [];
    private readonly double _logDecay;

    /// <summary>Creates the state.</summary>
    /// <param name="old">The other model's state.</param>
    /// <param name="oldModel">Its options.</param>
    /// <param name="fresh">The new engine's dense parameters.</param>
    /// <param name="model">The new options.</param>
    /// <param name="oldRows">The old row of each new row; −1 for a new one.</param>
    /// <param name="keys">The item key of each new row: seeds the values of new rows.</param>
    public AdoptedState(
        TensorSource old,
        ModelOptions oldModel,
        TensorSource fresh,
        ModelOptions model,
        ReadOnlyMemory<int> oldRows,
        ReadOnlyMemory<ulong> keys
    )
    {
        _old = old;
        _oldModel = oldModel;
        _model = model;
        _fit = new Fit(oldModel, model);
        _oldRows = oldRows;
        _keys = keys;
        for (int i = 0; i < old.Tensors.Count; i++)
        {
            _index[old.Tensors[i].Name] = i;
        }

        _logDecay = One<double>("optimizer.log_decay");
        AddDense(fresh);
        AddItems();
        AddBank();
        Add("optimizer.counters", TensorType.I64, [2], Bytes<long>(_fit.Whole ? Values<long>("optimizer.counters", 2) : [0, 0]));
        Add("optimizer.log_decay", TensorType.F64, [1], Bytes<double>([_fit.Whole ? _logDecay : 0]));
    }

    /// <inheritdoc/>
    public override IReadOnlyList<TensorInfo> Tensors => _tensors;

    /// <inheritdoc/>
    public override void Read(int tensor, long byteOffset, Span<byte> destination)
    {
        TensorInfo info = _tensors[tensor];
        int rowBytes = checked((int)(info.ByteCount() / Math.Max(info.Shape[0], 1)));
        byte[] row = new byte[rowBytes];
        while (destination.Length > 0)
        {
            int skip = (int)(byteOffset % rowBytes);
            _rows[tensor]((int)(byteOffset / rowBytes), row);
            int take = Math.Min(rowBytes - skip, destination.Length);
            row.AsSpan(skip, take).CopyTo(destination);
            destination = destination[take..];
            byteOffset += take;
        }
    }

    /// <inheritdoc/>
    protected override void Dispose(bool disposing) { }

    private static byte[] Bytes<T>(ReadOnlySpan<T> values)
        where T : unmanaged => MemoryMarshal.AsBytes(values).ToArray();

    private void Add(string name, TensorType type, long[] shape, Action<int, Span<byte>> row)
    {
        _tensors.Add(new TensorInfo(name, type, shape));
        _rows.Add(row);
    }

    private void Add(string name, TensorType type, long[] shape, byte[] bytes) =>
        Add(name, type, shape, (row, destination) => bytes.AsSpan(row * destination.Length, destination.Length).CopyTo(destination));

    private void AddDense(TensorSource fresh)
    {
        for (int i = 0; i < fresh.Tensors.Count; i++)
        {
            TensorInfo info = fresh.Tensors[i];
            byte[] values = new byte[info.ByteCount()];
            byte[] first = new byte[values.Length];
            byte[] second = new byte[values.Length];
            fresh.Read(i, 0, values);
            if (info.Name.StartsWith("items.projection", StringComparison.Ordinal) ? _fit.Projection : _fit.Tower)
            {
                Overlay(info, info.Name, values);
                if (_fit.Whole)
                {
                    Overlay(info, info.Name + ".adam_m", first);
                    Overlay(info, info.Name + ".adam_v", second);
                }
            }

            Add(info.Name, TensorType.F32, [.. info.Shape], values);
            Add(info.Name + ".adam_m", TensorType.F32, [.. info.Shape], first);
            Add(info.Name + ".adam_v", TensorType.F32, [.. info.Shape], second);
        }
    }

    /// <summary>Reads the block that the old and the new tensor share; slices absent from the old one stay fresh.</summary>
    private void Overlay(TensorInfo info, string name, Span<byte> values)
    {
        if (!_index.TryGetValue(name, out int index))
        {
            return;
        }

        TensorInfo old = _old.Tensors[index];
        if (old.Type != TensorType.F32 || old.Shape.Count != info.Shape.Count)
        {
            throw new StateMismatchException(
                $"Tensor {name} is {old.Type} [{string.Join(", ", old.Shape)}]; the model needs F32 [{string.Join(", ", info.Shape)}]."
            );
        }

        int stride = (int)info.Shape[^1] * sizeof(float);
        int take = (int)Math.Min(info.Shape[^1], old.Shape[^1]) * sizeof(float);
        IEnumerable<(int NewStart, int OldStart, int Length)> blocks =
            info.Shape.Count == 1 ? [(0, 0, 1)]
            : info.Name == "items.projection.weight" ? _fit.Groups.Where(static group => group.OldStart >= 0)
            : [(0, 0, (int)Math.Min(info.Shape[0], old.Shape[0]))];
        foreach ((int to, int from, int count) in blocks)
        {
            for (int row = 0; row < count; row++)
            {
                _old.Read(index, (long)(from + row) * old.Shape[^1] * sizeof(float), values.Slice((to + row) * stride, take));
            }
        }
    }

    private void AddItems()
    {
        int rows = _oldRows.Length;
        int d = _model.Dimension;
        if (_model.ItemIds)
        {
            bool adam = _model.IdOptimizer == IdOptimizer.LazyAdam;
            string second = adam ? "items.embedding.adam_v" : "items.embedding.adagrad";
            bool moments = _fit.Whole && _index.ContainsKey(second);
            Add(
                "items.embedding",
                TensorType.F32,
                [rows, d],
                (row, bytes) => Embedding(row, MemoryMarshal.Cast<byte, float>(bytes), !moments)
            );
            if (adam)
            {
                Add(
                    "items.embedding.adam_m",
                    TensorType.F32,
                    [rows, d],
                    (row, bytes) => OldRow("items.embedding.adam_m", row, bytes, moments)
                );
            }

            Add(second, TensorType.F32, [rows, adam ? d : 1], (row, bytes) => OldRow(second, row, bytes, moments));
            Add("items.embedding.updated", TensorType.I64, [rows], (row, bytes) => OldRow("items.embedding.updated", row, bytes, moments));
            Add(
                "items.embedding.log_decay",
                TensorType.F64,
                [rows],
                (row, bytes) => LogDecay(row, MemoryMarshal.Cast<byte, double>(bytes), moments)
            );
        }

        if (_model.FeatureLength > 0)
        {
            Add("items.features", TensorType.F32, [rows, _model.FeatureLength], Features);
        }
    }

    private void Embedding(int row, Span<float> values, bool settleDecay)
    {
        int old = _oldRows.Span[row];
        ItemInitializer.Fill(_model.Seed, _keys.Span[row], _model.ItemDeviation, values);
        if (old < 0 || !_fit.Embeddings)
        {
            return;
        }

        Span<float> taken = values[.._fit.Columns];
        _old.Read(_index["items.embedding"], (long)old * _oldModel.Dimension * sizeof(float), MemoryMarshal.AsBytes(taken));
        if (settleDecay)
        {
            TensorPrimitives.Multiply(taken, (float)Math.Exp(_logDecay - One<double>("items.embedding.log_decay", old)), taken);
        }
    }

    private void OldRow(string name, int row, Span<byte> bytes, bool fits)
    {
        int old = _oldRows.Span[row];
        if (fits && old >= 0)
        {
            _old.Read(_index[name], (long)old * bytes.Length, bytes);
        }
        else
        {
            bytes.Clear();
        }
    }

    // A new row has no accumulated decay.
    private void LogDecay(int row, Span<double> value, bool fits)
    {
        OldRow("items.embedding.log_decay", row, MemoryMarshal.AsBytes(value), fits);
        value[0] = _oldRows.Span[row] < 0 || !fits ? (_fit.Whole ? _logDecay : 0) : value[0];
    }

    private void Features(int row, Span<byte> bytes)
    {
        bytes.Clear();
        int old = _oldRows.Span[row];
        foreach ((int to, int from, int length) in _fit.Groups)
        {
            if (old >= 0 && from >= 0)
            {
                _old.Read(
                    _index["items.features"],
                    (((long)old * _oldModel.FeatureLength) + from) * sizeof(float),
                    bytes.Slice(to * sizeof(float), length * sizeof(float))
                );
            }
        }
    }

    /// <summary>Copies the bank, newest first, as far as there is room; it is meaningless if the values' or the entries' meaning
    /// differs.</summary>
    private void AddBank()
    {
        bool fits = _fit.Whole && _model.DistinctBank == _oldModel.DistinctBank;
        int held = fits ? (int)_old.Tensors[_index["bank.vectors"]].Shape[0] : 0;
        int count = Math.Min(held, _model.BankCapacity);
        int d = _model.Dimension;
        var newRow = new Dictionary<int, int>();
        for (int row = 0; row < _oldRows.Length; row++)
        {
            newRow[_oldRows.Span[row]] = row;
        }

        newRow.Remove(-1);
        int[] rows = [.. Values<int>("bank.rows", count).Select(row => newRow.GetValueOrDefault(row, -1))];
        Add("bank.vectors", TensorType.F32, [count, d], (row, bytes) => _old.Read(_index["bank.vectors"], (long)row * bytes.Length, bytes));
        Add("bank.rows", TensorType.I32, [count], Bytes<int>(rows));
        Add("bank.log_q", TensorType.F32, [count], Bytes<float>(Values<float>("bank.log_q", count)));
        Add("bank.steps", TensorType.I64, [count], Bytes<long>(Values<long>("bank.steps", count)));
        if (_model.DistinctBank)
        {
            Add("bank.ages", TensorType.I64, [count], Bytes<long>(Values<long>("bank.ages", count)));
        }
    }

    private T[] Values<T>(string name, int count)
        where T : unmanaged
    {
        var values = new T[count];
        if (count > 0)
        {
            _old.Read(Index(name), 0, MemoryMarshal.AsBytes(values.AsSpan()));
        }

        return values;
    }

    private T One<T>(string name, int at = 0)
        where T : unmanaged
    {
        T value = default;
        Span<T> one = new(ref value);
        _old.Read(Index(name), (long)at * System.Runtime.CompilerServices.Unsafe.SizeOf<T>(), MemoryMarshal.AsBytes(one));
        return value;
    }

    private int Index(string name) =>
        _index.TryGetValue(name, out int index)
            ? index
            : throw new StateMismatchException($"Tensor {name} is missing: this is not the state of a model.");
}
