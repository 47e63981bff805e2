using Streaming.Lab.Backtest;
using Streaming.Models.Options;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Lab.Tests.Backtest;

public class SettingsGridTests
{
    [Fact]
    public void Combinations_TwoLists_GivesTheProduct()
    {
        IReadOnlyList<IReadOnlyDictionary<string, string>> all = SettingsGrid.Combinations([
            "STREAMING__Model__Layers=1;2",
            "STREAMING__Model__Widths=8,16",
            "STREAMING__Offline__Epochs=3;4",
        ]);
        Assert.Equal(
            [
                "STREAMING__Model__Layers=1 STREAMING__Offline__Epochs=3",
                "STREAMING__Model__Layers=1 STREAMING__Offline__Epochs=4",
                "STREAMING__Model__Layers=2 STREAMING__Offline__Epochs=3",
                "STREAMING__Model__Layers=2 STREAMING__Offline__Epochs=4",
            ],
            all.Select(one => SettingsGrid.Label(one, all))
        );
        Assert.All(all, one => Assert.Equal("8,16", one["STREAMING__Model__Widths"]));
    }

    [Fact]
    public void Combinations_None_IsOneWithoutALabel()
    {
        IReadOnlyList<IReadOnlyDictionary<string, string>> all = SettingsGrid.Combinations([]);
        Assert.Equal(string.Empty, SettingsGrid.Label(Assert.Single(all), all));
    }

    /// <summary>Settings that only make sense together; labels say what is different, also where only one model sets it.</summary>
    [Fact]
    public void Combinations_Also_AddsTheFirstWithTheseSettingsInstead()
    {
        IReadOnlyList<IReadOnlyDictionary<string, string>> all = SettingsGrid.Combinations(
            ["STREAMING__Model__Loss=union;mns", "Model__Layers=1"],
            ["Model__Loss=cbns  Model__Cosine=false"]
        );
        Assert.Equal(
            ["STREAMING__Model__Loss=union", "STREAMING__Model__Loss=mns", "STREAMING__Model__Loss=cbns Model__Cosine=false"],
            all.Select(one => SettingsGrid.Label(one, all))
        );
        Assert.Equal("1", all[2]["Model__Layers"]);
    }

    [Fact]
    public void Combinations_AlsoWithoutValue_SaysSo() =>
        Assert.Contains(
            "--also is \"Model__Loss=cbns Model__Cosine\"; allowed: NAME=VALUE",
            Assert.Throws<SettingsException>(() => SettingsGrid.Combinations([], ["Model__Loss=cbns Model__Cosine"])).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Combinations_NoName_SaysSo() =>
        Assert.Contains(
            "--set is \"=3\"",
            Assert.Throws<SettingsException>(() => SettingsGrid.Combinations(["=3"])).Message,
            StringComparison.Ordinal
        );

    [Fact]
    public void Load_UnknownOrForeignName_IsAnError()
    {
        Assert.Contains(
            "STREAMING__Model__Layer ",
            Assert
                .Throws<SettingsException>(() =>
                    BacktestSettings.Load(
                        new Dictionary<string, string> { ["STREAMING__Model__Layer"] = "2" },
                        BacktestProtocol.LeaveOneOut
                    )
                )
                .Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "STREAMING__Kafka__Topic is not a setting of a backtest",
            Assert
                .Throws<SettingsException>(() =>
                    BacktestSettings.Load(
                        new Dictionary<string, string> { ["STREAMING__Kafka__Topic"] = "2" },
                        BacktestProtocol.LeaveOneOut
                    )
                )
                .Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "STREAMING__Training__Threads is not a setting",
            Assert
                .Throws<SettingsException>(() =>
                    BacktestSettings.Load(
                        new Dictionary<string, string> { ["STREAMING__Training__Threads"] = "2" },
                        BacktestProtocol.LeaveOneOut
                    )
                )
                .Message,
            StringComparison.Ordinal
        );
        Assert.Contains(
            "STREAMING__Offline__Epochs is 0",
            Assert
                .Throws<SettingsException>(() =>
                    BacktestSettings.Load(
                        new Dictionary<string, string> { ["STREAMING__Offline__Epochs"] = "0" },
                        BacktestProtocol.LeaveOneOut
                    )
                )
                .Message,
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Load_Engine_IsTheWorkersSetting() =>
        Assert.Equal(
            "cuda:1",
            BacktestSettings
                .Load(new Dictionary<string, string> { ["STREAMING__Training__Device"] = "cuda:1" }, BacktestProtocol.LeaveOneOut)
                .Engine.Device
        );

    [Fact]
    public void ToFile_ReadBack_GivesTheSameSettings()
    {
        var chosen = new Dictionary<string, string>
        {
            ["STREAMING__Model__Layers"] = "1",
            ["STREAMING__Model__Widths"] = "8,24",
            ["STREAMING__Offline__Epochs"] = "7",
        };
        string[] lines = BacktestSettings
            .ToFile(BacktestSettings.Load(chosen, BacktestProtocol.Prequential), "best")
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("# best", lines[0]);
        Assert.Equal(chosen, lines[1..].Select(line => line.Split('=')).ToDictionary(pair => pair[0], pair => pair[1]));
    }

    [Fact]
    public void Load_OfflineProtocol_HasAPresetForWhatIsNotSet()
    {
        ModelOptions model = Model(BacktestProtocol.LeaveOneOut, ("STREAMING__Model__Widths", "8,16,32"));
        Assert.Equal((0.1f, true, 0.25f), (model.Temperature, model.OutputLinear, model.OutputNegatives));
        Assert.Equal([0.2f, 0.4f, 0.6f], model.Dropout);
        Assert.Equal([4f, 2f, 1f], model.WidthWeights);
        Assert.Equal([8f, 4f, 2f, 1f], Model(BacktestProtocol.LeaveOneOut).WidthWeights);
        model = Model(BacktestProtocol.UserSplit, ("STREAMING__Model__Cosine", "false"), ("STREAMING__Model__Dropout", "0.5"));
        Assert.Equal(1f, model.Temperature);
        Assert.Equal([0.5f], model.Dropout);
        Assert.Equal(new ModelOptions().Temperature, Model(BacktestProtocol.Prequential).Temperature);
        Assert.Empty(Model(BacktestProtocol.Prequential).WidthWeights);

        static ModelOptions Model(BacktestProtocol protocol, params (string Name, string Value)[] set) =>
            BacktestSettings.Load(set.ToDictionary(pair => pair.Name, pair => pair.Value), protocol).Model;
    }
}
