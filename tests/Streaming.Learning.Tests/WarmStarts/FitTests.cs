using Streaming.Learning.WarmStarts;
using Streaming.Models.Options;
using Xunit;

namespace Streaming.Learning.Tests.WarmStarts;

/// <summary>What of a model another one can begin with.</summary>
public sealed class FitTests
{
    private static readonly ModelOptions Old = new() { Widths = [8, 16], FeatureGroups = [new("text", 4), new("image", 2)] };

    [Fact]
    public void Fit_SameModel_IsWhole()
    {
        var fit = new Fit(Old, Old with { Temperature = 0.5f, Dropout = [0f], BankCapacity = 16 });

        Assert.True(fit.Whole);
        Assert.Empty(fit.Differences);
        Assert.True(fit is { Tower: true, Projection: true, Embeddings: true, Columns: 16 });
    }

    /// <summary>Nested weights grow and shrink by whole slices.</summary>
    [Theory]
    [InlineData(new[] { 8 }, true, 8)]
    [InlineData(new[] { 8, 16, 32 }, true, 16)]
    [InlineData(new[] { 16 }, false, 16)]
    [InlineData(new[] { 8, 12 }, false, 12)]
    [InlineData(new[] { 4, 8, 16 }, false, 16)]
    public void Fit_OtherWidths_TowerFitsWhenOneIsTheBeginningOfTheOther(int[] widths, bool tower, int columns)
    {
        var fit = new Fit(Old, Old with { Widths = widths });

        Assert.Equal((false, tower, tower, columns), (fit.Whole, fit.Tower, fit.Projection, fit.Columns));
        Assert.Equal($"Model.Widths is {string.Join(',', widths)}, the other has 8,16", Assert.Single(fit.Differences));
        Assert.True(fit.Embeddings);
    }

    [Fact]
    public void Fit_FeaturesChanged_GroupsThatAreInBothFitWhereverTheyBegin()
    {
        var fit = new Fit(Old, Old with { FeatureGroups = [new("image", 2), new("price", 1), new("text", 5)] });

        Assert.Equal([(0, 4, 2), (2, -1, 1), (3, -1, 5)], fit.Groups);
        Assert.Equal((false, true, true), (fit.Whole, fit.Tower, fit.Projection));
        Assert.Equal("Model.FeatureGroups is image:2,price:1,text:5, the other has text:4,image:2", Assert.Single(fit.Differences));
    }

    [Fact]
    public void Fit_TextHashedByAnotherScheme_IsAnotherGroup()
    {
        var group = FeatureGroup.Hashed("words", 4, new TextField("title"));
        var fit = new Fit(Old with { FeatureGroups = [group with { Scheme = 99 }] }, Old with { FeatureGroups = [group] });

        Assert.Equal([(0, -1, 4)], fit.Groups);
        Assert.False(fit.Projection);
        Assert.Equal(
            "Model.FeatureGroups is words:4=title (text scheme 1), the other has words:4=title (text scheme 99)",
            Assert.Single(fit.Differences)
        );
    }

    [Fact]
    public void Fit_NoFeatureGroupInCommon_ProjectionDoesNot()
    {
        var fit = new Fit(Old, Old with { FeatureGroups = [] });

        Assert.Equal((true, false), (fit.Tower, fit.Projection));
        Assert.Contains("Model.FeatureGroups is (none)", fit.Differences[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_IdsInOneOnly_EmbeddingsDoNot()
    {
        var fit = new Fit(Old, Old with { ItemIds = false });

        Assert.Equal((true, false), (fit.Tower, fit.Embeddings));
    }

    public static TheoryData<ModelOptions, string> OtherTowers =>
        new()
        {
            { Old with { Tower = TowerKind.Gru4Rec }, "Model.Tower is Gru4Rec, the other has FmrlRec" },
            { Old with { Layers = 3 }, "Model.Layers is 3, the other has 2" },
            { Old with { Norm = NormPlacement.After }, "Model.Norm is After" },
            { Old with { OutputLinear = !Old.OutputLinear }, "Model.OutputLinear is" },
            { Old with { OutputNorm = !Old.OutputNorm }, "Model.OutputNorm is" },
            { Old with { InputNorm = !Old.InputNorm }, "Model.InputNorm is" },
            { Old with { Cosine = false }, "Model.Cosine is False, the other has True" },
        };

    [Theory]
    [MemberData(nameof(OtherTowers))]
    public void Fit_WhatTheTowersValuesMean_MustAgree(ModelOptions other, string difference)
    {
        var fit = new Fit(Old, other);

        Assert.Equal((false, false), (fit.Whole, fit.Tower));
        Assert.StartsWith(difference, Assert.Single(fit.Differences), StringComparison.Ordinal);
    }

    [Fact]
    public void Fit_WhatAnotherTowerHas_SaysNothingOfThisOne()
    {
        ModelOptions mind = Old with { Tower = TowerKind.Mind };

        Assert.True(new Fit(mind, mind with { Layers = 5, Norm = NormPlacement.After }).Whole);
        Assert.Contains("Model.Interests is 2, the other has 4", new Fit(mind, mind with { Interests = 2 }).Differences);
        Assert.Contains("Model.HistoryLength is 9, the other has 50", new Fit(mind, mind with { HistoryLength = 9 }).Differences);
    }
}
