using System.Text.Json;
using Streaming.Lab.Backtest;
using Streaming.Learning.Evaluation;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class ReportWriterTests
{
    [Fact]
    public void Json_Rows_HaveTheNamesThatScriptsRead()
    {
        using var json = JsonDocument.Parse(ReportWriter.Json(Report()));
        JsonElement row = json.RootElement.GetProperty("rows")[1];
        Assert.Equal("fmrlrec", row.GetProperty("tower").GetString());
        Assert.Equal("full", row.GetProperty("loss").GetString());
        Assert.Equal(16, row.GetProperty("width").GetInt32());
        Assert.True(row.GetProperty("historyMasked").GetBoolean());
        Assert.Equal(0.75, row.GetProperty("recall").GetProperty("10").GetDouble());
        Assert.Equal(0.625, row.GetProperty("ndcg").GetProperty("10").GetDouble());
        Assert.Equal(Math.Round(Math.Sqrt(0.125), 6), row.GetProperty("recallSpread").GetProperty("10").GetDouble());
    }

    [Fact]
    public void Text_Table_IsAligned()
    {
        string[] lines = ReportWriter.Text(Report()).Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("model       loss  width  history  R@1              R@10             N@1              N@10", lines[0]);
        Assert.Equal("popularity  none         ranked   0.0000 ± 0.0000  1.0000 ± 0.0000  0.0000 ± 0.0000  0.5000 ± 0.0000", lines[1]);
        Assert.Equal("fmrlrec     full  16     masked   0.5000 ± 0.0000  0.7500 ± 0.3536  0.5000 ± 0.0000  0.6250 ± 0.1768", lines[2]);
    }

    [Fact]
    public void Markdown_Table_HasAHeaderRule()
    {
        string[] lines = ReportWriter.Markdown(Report()).Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries);
        Assert.StartsWith("| model | loss | width | history | R@1 |", lines[0], StringComparison.Ordinal);
        Assert.Equal("|---|---|---|---|---|---|---|---|", lines[1]);
        Assert.Equal(4, lines.Length);
    }

    private static BacktestReport Report() =>
        new(
            "LeaveOneOut",
            2,
            3,
            9,
            [1, 2],
            [1, 10],
            1.25,
            [
                new ReportRow("popularity", "none", 0, false, false, null, "", [Metrics(new TiedRank(2, 0))]),
                new ReportRow(
                    "fmrlrec",
                    "full",
                    16,
                    false,
                    true,
                    null,
                    "",
                    [Metrics(new TiedRank(0, 0), new TiedRank(2, 0)), Metrics(new TiedRank(0, 0), TiedRank.Missing)]
                ),
            ]
        );

    private static RankingMetrics Metrics(params TiedRank[] ranks)
    {
        var metrics = new RankingMetrics([1, 10]);
        foreach (TiedRank rank in ranks)
        {
            metrics.Add(rank);
        }

        return metrics;
    }
}
