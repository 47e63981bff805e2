using System.Runtime.InteropServices;
using Streaming.Learning.Torch.Softmax;
using Streaming.Learning.Torch.State;
using Streaming.Models.State;
using static TorchSharp.torch;

namespace Streaming.Learning.Torch.Engine;

/// <content>State, with the CPU engine's tensor names.</content>
public sealed partial class TorchEngine
{
    private TorchSnapshot? _snapshot;

    /// <inheritdoc/>
    /// <remarks>This call copies the state: on a GPU within its own memory, in milliseconds per gigabyte; on a GPU without room for
    /// the copy, and on the CPU, to host memory, about 0.1 s per gigabyte.</remarks>
    public override TensorSnapshot BeginSnapshot()
    {
        RequireNoSnapshot("dispose it before the next begins");
        _items.Flush();
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return _snapshot = new TorchSnapshot(StateEntries(), _device);
    }

    /// <inheritdoc/>
    public override TensorSource CopyParameters()
    {
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        return new TorchSnapshot([.. DenseEntries()], CPU);
    }

    /// <inheritdoc/>
    public override void Restore(TensorSource source)
    {
        ArgumentNullException.ThrowIfNull(source);
        RequireNoSnapshot("dispose it before the state is replaced");
        using TorchSharp.DisposeScope scope = NewDisposeScope();
        using IDisposable noGrad = no_grad();
        var reader = new DeviceStateReader(source, StateEntries(), MostRows);
        RestoreDense(reader);
        RestoreItems(reader);
        RestoreBank(reader);
        Span<long> counters = MemoryMarshal.Cast<byte, long>(reader.Read("optimizer.counters").bytes);
        _items.Updates.fill_((double)counters[0]);
        (_updatesRead, _unread, _step) = (counters[0], 0, counters[1]);
    }

    private void RequireNoSnapshot(string advice)
    {
        if (_snapshot is { IsDisposed: false })
        {
            throw new InvalidOperationException($"A snapshot is active; {advice}.");
        }
    }

    private long? MostRows(string name) =>
        name switch
        {
            "items.projection.weight" or "items.projection.bias" => null,
            _ when name.StartsWith("items.projection.", StringComparison.Ordinal) => null,
            _ when name.StartsWith("items.", StringComparison.Ordinal) => Model.ItemCapacity,
            _ when name.StartsWith("bank.", StringComparison.Ordinal) => Model.BankCapacity,
            _ => null,
        };

    private void RestoreDense(DeviceStateReader reader)
    {
        foreach (Parameter parameter in _dense.Declared)
        {
            using TorchSharp.DisposeScope scope = NewDisposeScope();
            _dense.Place(_dense.Values, parameter).copy_(reader.Read(parameter.Name));
            _dense.Place(_dense.FirstMoments, parameter).copy_(reader.Read(parameter.Name + ".adam_m"));
            _dense.Place(_dense.SecondMoments, parameter).copy_(reader.Read(parameter.Name + ".adam_v"));
        }
    }

    private void RestoreItems(DeviceStateReader reader)
    {
        _items.Reset();
        _items.LogDecay.copy_(reader.Read("optimizer.log_decay").view([]));
        foreach ((string? name, TensorType _, Tensor? table) in ItemTables())
        {
            using TorchSharp.DisposeScope scope = NewDisposeScope();
            Tensor values = reader.Read(name);
            table.zero_();
            table.narrow(0, 0, values.shape[0]).copy_(values);
            _items.Used = (int)values.shape[0];
        }
    }

    private void RestoreBank(DeviceStateReader reader)
    {
        Tensor vectors = reader.Read("bank.vectors");
        Tensor rows = reader.Read("bank.rows");
        Span<long> steps = MemoryMarshal.Cast<byte, long>(reader.Read("bank.steps").bytes);
        Span<long> ages = Model.DistinctBank ? MemoryMarshal.Cast<byte, long>(reader.Read("bank.ages").bytes) : [];
        _bank.Reset(new CandidateBlock(vectors, rows, reader.Read("bank.log_q")), MemoryMarshal.Cast<byte, int>(rows.bytes), steps, ages);
    }

    private List<(string Name, TensorType Type, Tensor Table)> ItemTables()
    {
        var tables = new List<(string, TensorType, Tensor)>();
        if (Model.ItemIds)
        {
            tables.Add(("items.embedding", TensorType.F32, _items.Embeddings));
            if (_items.Adam)
            {
                tables.Add(("items.embedding.adam_m", TensorType.F32, _items.FirstMoments));
            }

            tables.Add((_items.Adam ? "items.embedding.adam_v" : "items.embedding.adagrad", TensorType.F32, _items.SecondMoments));
            tables.Add(("items.embedding.updated", TensorType.I64, _items.Updated));
            tables.Add(("items.embedding.log_decay", TensorType.F64, _items.LogDecays));
        }

        if (Model.FeatureLength > 0)
        {
            tables.Add(("items.features", TensorType.F32, _items.Features));
        }

        return tables;
    }

    private IEnumerable<StateEntry> DenseEntries() =>
        _dense.Declared.Select(parameter =>
            Entry(
                parameter.Name,
                TensorType.F32,
                [.. parameter.Shape.Select(size => (long)size)],
                Copying(() => _dense.Place(_dense.Values, parameter))
            )
        );

    // All state that a restart needs, in storage order. Item rows are stored up to the highest ever used.
    private List<StateEntry> StateEntries()
    {
        var entries = new List<StateEntry>();
        foreach (Parameter parameter in _dense.Declared)
        {
            long[] shape = [.. parameter.Shape.Select(size => (long)size)];
            entries.Add(Entry(parameter.Name, TensorType.F32, shape, Copying(() => _dense.Place(_dense.Values, parameter))));
            entries.Add(
                Entry(parameter.Name + ".adam_m", TensorType.F32, shape, Copying(() => _dense.Place(_dense.FirstMoments, parameter)))
            );
            entries.Add(
                Entry(parameter.Name + ".adam_v", TensorType.F32, shape, Copying(() => _dense.Place(_dense.SecondMoments, parameter)))
            );
        }

        foreach ((string? name, TensorType type, Tensor? table) in ItemTables())
        {
            entries.Add(Entry(name, type, [_items.Used, .. table.shape[1..]], Copying(() => table.narrow(0, 0, _items.Used))));
        }

        int count = _bank.Count;
        entries.Add(Entry("bank.vectors", TensorType.F32, [count, Model.Dimension], _bank.CopyVectors));
        entries.Add(Entry("bank.rows", TensorType.I32, [count], _bank.CopyRows));
        entries.Add(Entry("bank.log_q", TensorType.F32, [count], _bank.CopyLogQ));
        entries.Add(Entry("bank.steps", TensorType.I64, [count], _ => tensor(_bank.Steps(), dtype: ScalarType.Int64)));
        if (Model.DistinctBank)
        {
            entries.Add(Entry("bank.ages", TensorType.I64, [count], _ => tensor(_bank.Ages(), dtype: ScalarType.Int64)));
        }

        entries.Add(Entry("optimizer.counters", TensorType.I64, [2], _ => tensor([Updates(), _step], dtype: ScalarType.Int64)));
        entries.Add(Entry("optimizer.log_decay", TensorType.F64, [1], Copying(() => _items.LogDecay.view(1))));
        return entries;
    }

    private static StateEntry Entry(string name, TensorType type, long[] shape, Func<Device, Tensor> copy) =>
        new(new TensorInfo(name, type, shape), copy);

    private static Func<Device, Tensor> Copying(Func<Tensor> values) => device => values().to(device, copy: true);

    private long Updates() => (long)_items.Updates.cpu().item<double>();
}
