using System.Text;
using Streaming.Core.Hashing;
using Streaming.Lab.Backtest;
using Streaming.Learning.Cpu;
using Streaming.Learning.Items;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public sealed class RetrainWindowsTests : IDisposable
{
    private const int HistoryLength = 4;
    private const int Items = 40;
    private readonly CpuEngine _engine = new(new ModelOptions { Widths = [4], ItemCapacity = 64 }, threads: 1);
    private readonly ItemTable _table;
    private readonly ulong[] _keys = [.. Enumerable.Range(0, Items).Select(i => XxHash64.Hash(Id(i)))];

    public RetrainWindowsTests()
    {
        _table = new ItemTable(_engine, new ItemTableOptions());

        // The last item of the log has no row.
        for (int i = 0; i < Items - 1; i++)
        {
            _table.Touch(_keys[i], Id(i), eventTime: 1);
        }
    }

    public void Dispose() => _engine.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(HistoryLength + 1)]
    [InlineData(HistoryLength + 2)]
    [InlineData(3 * HistoryLength)]
    [InlineData(Items - 1)]
    public void Before_LongSequence_PredictsEachEventOnceFromAtLeastHalfAHistory(int length)
    {
        OfflineSplit split = Before(
            [
                [.. Enumerable.Range(0, length)],
            ],
            moment: 1_000
        );
        var predicted = new List<int>();
        for (int window = 0; window < split.Train.Count; window++)
        {
            ReadOnlySpan<int> rows = split.Train[window];
            Assert.InRange(rows.Length, 1, HistoryLength + 1);
            for (int i = 0; i < rows.Length; i++)
            {
                if (split.TrainWeights[window][i] > 0)
                {
                    int item = Item(rows[i]);
                    Assert.True(i >= Math.Min(item, HistoryLength / 2), $"Item {item} is predicted from {i} items.");
                    predicted.Add(item);
                }
            }
        }

        Assert.Equal(Enumerable.Range(0, length), predicted);
    }

    [Fact]
    public void Before_EventAtTheMoment_IsLeftOut()
    {
        // Events of a user are at 0, 10, 20, …
        OfflineSplit split = Before(
            [
                [0, 1, 2],
                [3],
            ],
            moment: 20
        );
        Assert.Equal([0, 1], split.Train[0].ToArray().Select(Item));
        Assert.Equal([3], split.Train[1].ToArray().Select(Item));
    }

    [Fact]
    public void Before_WeightZeroOrNoRow_IsAnInputOnly()
    {
        OfflineSplit split = Before(
            [
                [0, Items - 1, 2],
                [Items - 1],
            ],
            moment: 1_000,
            [
                [0, 1, 3],
                [1],
            ]
        );
        Assert.Equal(1, split.Train.Count);
        Assert.Equal([0, 0, 3], split.TrainWeights[0].ToArray());
        Assert.Equal(_table.RowOf(_keys[Items - 1]), split.Train[0][1]);
    }

    private static byte[] Id(int item) => Encoding.UTF8.GetBytes($"i{item}");

    private int Item(int row) => Array.IndexOf(_keys, _table.KeyOf(row));

    private OfflineSplit Before(int[][] sequences, long moment, float[][]? weights = null)
    {
        var items = new JaggedList();
        Array.ForEach(sequences, sequence => items.Add(sequence));
        WeightList? weightList = weights is null ? null : new WeightList();
        Array.ForEach(weights ?? [], row => weightList!.Add(row));
        var log = new InteractionLog(
            [.. Enumerable.Range(0, Items).Select(i => $"i{i}")],
            items,
            [.. sequences.Select(sequence => sequence.Select((_, i) => i * 10L).ToArray())]
        )
        {
            Weights = weightList,
        };
        return RetrainWindows.Before(log, moment, HistoryLength, _keys, _table);
    }
}
