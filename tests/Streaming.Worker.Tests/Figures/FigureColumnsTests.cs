using System.Text.Json;
using Streaming.Learning.Training;
using Streaming.Worker.Figures;
using Streaming.Worker.Metrics;
using Xunit;

namespace Streaming.Worker.Tests.Figures;

public sealed class FigureColumnsTests
{
    [Fact]
    public void Columns_OfAModelThatChangedShape_HaveNullsForTheOldOne()
    {
        JsonElement columns = Write(Sample([4], [0.1], [2.5]), Sample([4, 8], [0.2, 0.3], [1.5, double.NaN]));

        Assert.Equal("[4,8]", columns.GetProperty("widths").GetRawText());
        Assert.Equal("[[null,0.2],[null,0.3]]", columns.GetProperty("recall").GetRawText());
        Assert.Equal("[[null,1.5],[null,null]]", columns.GetProperty("loss").GetRawText());
        Assert.Equal("[null,null]", columns.GetProperty("freshnessP50").GetRawText());
        Assert.Equal(2, columns.GetProperty("at").GetArrayLength());
    }

    [Fact]
    public void Columns_OfNoSamples_AreEmpty()
    {
        JsonElement columns = Write();

        Assert.All(
            columns.EnumerateObject().Where(column => column.Name != "baselineName"),
            column => Assert.Equal("[]", column.Value.GetRawText())
        );
    }

    private static JsonElement Write(params FigureSample[] samples) => JsonSerializer.SerializeToElement(FigureColumns.Of(samples));

    private static FigureSample Sample(int[] widths, double[] recall, double[] losses) =>
        FigureSample.Of(
            PipelineStatus.Empty with
            {
                Trainer = new TrainerStatus
                {
                    Widths = widths,
                    Recall = [.. recall.Select(value => new SegmentRecall(value, 0, 0, 0, 0, 0, 0, 9))],
                    Losses = losses,
                },
            },
            default
        );
}
