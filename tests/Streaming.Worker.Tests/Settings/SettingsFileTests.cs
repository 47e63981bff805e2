using Streaming.Formats.Inputs;
using Streaming.Learning.Training;
using Streaming.Models.Options;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Redis;
using Streaming.Worker.Commands;
using Streaming.Worker.Failures;
using Streaming.Worker.Settings;
using Streaming.Worker.Stages;
using Xunit;

namespace Streaming.Worker.Tests.Settings;

public sealed class SettingsFileTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("settings-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    [Fact]
    public void Load_EnvironmentLines_AreReadWithAndWithoutThePrefix()
    {
        SettingsValues settings = Load(
            "\uFEFF# brokers\r\nSTREAMING__Kafka__BootstrapServers = a:9092,b:9092\r\n\r\nkafka__groupid=\"x # y\"  # of the "
                + "shop\nRedis__Configuration='h:1,password=a # b'\nCheckpoint__Folder=  # none\n"
        );

        Assert.Equal(("a:9092,b:9092", "x # y"), (settings.Get<KafkaOptions>().BootstrapServers, settings.Get<KafkaOptions>().GroupId));
        Assert.Equal("h:1,password=a # b", settings.Get<RedisOptions>().Configuration);
        Assert.Empty(settings.Get<CheckpointOptions>().Folder);
        Assert.Empty(settings.Notices);
    }

    [Fact]
    public void Load_Json_SectionsAndFlatNamesAreRead()
    {
        SettingsValues settings = Load(
            """
            {
              // the shop's
              "Kafka": { "BootstrapServers": "a:9092", "SkipMissing": true, "Client": { "fetch.min.bytes": 17 } },
              "Training": { "LearningRate": { "Peak": 0.02 } },
              "STREAMING__Model__Widths": [8, 16],
              "Events__Weights": { "view": 1, "purchase": 2.5 },
              "STREAMING": { "Kafka": { "GroupId": "g" } },
            }
            """
        );

        KafkaOptions kafka = settings.Get<KafkaOptions>();
        Assert.Equal(
            ("a:9092", true, "17", "g"),
            (kafka.BootstrapServers, kafka.SkipMissing, kafka.Client["fetch.min.bytes"], kafka.GroupId)
        );
        Assert.Equal(0.02f, settings.Get<TrainerOptions>().LearningRate.Peak);
        Assert.Equal([8, 16], settings.Get<ModelOptions>().Widths);
        Assert.Equal(2.5f, settings.Get<EventOptions>().Weights["purchase"]);
    }

    [Fact]
    public void Load_WrongLines_AreNamedWithFileAndLine()
    {
        SettingsException exception = Assert.Throws<SettingsException>(() =>
            Load("Kafka__GroupIds=x\nnonsense s3cret\nHttp__Port=many\nModel__Layers=99\nHOME=/root\n")
        );

        Assert.Equal(
            [
                "shop.env:2 has no NAME=value; allowed: NAME=value, or a comment that begins with #.",
                "HOME (shop.env:5) is not a setting; `streaming config` lists all settings.",
                "STREAMING__Http__Port (shop.env:3) is 'many'; allowed: a whole number of at most 2147483647.",
                "Kafka__GroupIds (shop.env:1) is not a setting; did you mean STREAMING__Kafka__GroupId?",
                "STREAMING__Model__Layers (shop.env:4) is 99; allowed: 1 … 8.",
            ],
            exception.Errors
        );
    }

    [Fact]
    public void Load_WrongJson_IsNamedWithTheFile()
    {
        Assert.Equal(
            ["STREAMING__Http__Port (shop.env) is 'many'; allowed: a whole number of at most 2147483647."],
            Assert.Throws<SettingsException>(() => Load("""{"Http": {"Port": "many"}}""")).Errors
        );
        Assert.Equal(
            ["Kafka__Colour (shop.env) is not a setting; `streaming config` lists all settings."],
            Assert.Throws<SettingsException>(() => Load("""{"Kafka": {"Colour": 1}}""")).Errors
        );
        Assert.StartsWith(
            "shop.env is not JSON: line 1, ",
            Assert.Single(Assert.Throws<SettingsException>(() => Load("{\"Kafka\": ")).Errors),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public void Load_NameTwice_IsAnError() =>
        Assert.Equal(
            ["Http__Port (shop.env:1) and Http__Port (shop.env:2) set the same thing; allowed: one of them."],
            Assert.Throws<SettingsException>(() => Load("Http__Port=1\nHttp__Port=1")).Errors
        );

    [Fact]
    public void Read_FileThatIsNotThere_SaysSo() =>
        Assert.StartsWith(
            "--settings is '/nowhere/shop.env', which cannot be read (",
            Assert.Throws<InputFileException>(() => SettingsFile.Read("/nowhere/shop.env", WorkerSettings.Catalogue)).Message,
            StringComparison.Ordinal
        );

    [Theory]
    [InlineData("plain")]
    [InlineData("a # b")]
    [InlineData("# a")]
    [InlineData(" led by a blank")]
    [InlineData("\"quoted\"")]
    [InlineData("")]
    public void Line_IsReadAsItWasWritten(string value)
    {
        SettingsLayer layer = SettingsFile.Parse(SettingsFile.Line("Kafka__GroupId", value), "shop.env", WorkerSettings.Catalogue);

        Assert.Equal(value, Assert.Single(layer.Inputs).Text);
    }

    private SettingsValues Load(string text)
    {
        string path = Path.Combine(_folder, "shop.env");
        File.WriteAllText(path, text);
        return WorkerSettings.Catalogue.Load([SettingsFile.Read(path, WorkerSettings.Catalogue)]);
    }
}
