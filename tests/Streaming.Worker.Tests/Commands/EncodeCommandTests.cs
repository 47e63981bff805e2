using System.Text;
using System.Text.Json;
using Confluent.Kafka;
using Streaming.Core.Events;
using Streaming.Core.Items;
using Streaming.Lab.Embedded;
using Streaming.Tests;
using Streaming.Transport.Kafka.Clients;
using Streaming.Transport.Kafka.Decoding;
using Streaming.Worker.Failures;
using Xunit;

namespace Streaming.Worker.Tests.Commands;

/// <summary>`streaming encode` as a process, with a real model and a broker.</summary>
public sealed class EncodeCommandTests : IDisposable
{
    private readonly TemporaryFiles _files = new();
    private readonly EmbeddedBroker _broker = new();

    public EncodeCommandTests() => _broker.CreateTopic("items", 1);

    public void Dispose()
    {
        _broker.Dispose();
        _files.Dispose();
    }

    [Fact]
    public async Task Encode_Send_BringsWhatIsNewToTheItemsTopic()
    {
        (string model, string vocabulary) = PackagedModels.WriteMiniLM(_files.Path("."));
        string items = _files.Write("items.csv", "item,title,brand\na,Caf\u00E9 cr\u00E8me,Acme\nb,Red lamp,\n");
        string output = _files.Path("encoded.jsonl");
        string[] arguments =
        [
            "--items",
            items,
            "--output",
            output,
            "--text",
            "title+brand",
            "--text-model",
            model,
            "--text-vocabulary",
            vocabulary,
        ];

        string first = await RunAsync(ExitCode.Success, [.. arguments, "--send"]);
        Assert.Contains("2 items: 2 encoded; STREAMING__Model__FeatureGroups=text:384", first, StringComparison.Ordinal);
        Assert.Contains($"sent 2 records to items at {_broker.BootstrapServers}", first, StringComparison.Ordinal);
        ItemChange[] records = Consume();
        Assert.Equal(["a", "b"], records.Select(static record => record.ItemId));
        Assert.Equal("Acme", records[0].Text["brand"]);
        Assert.Equal(["brand", "title"], records[0].Text.Keys.Order());
        Assert.Equal(1, records[0].Features["text"].Sum(static value => value * value), 1e-3);

        // Encoded without sending; the next run sends it, and only it.
        File.AppendAllText(items, "c,Blue vase,\n");
        Assert.Contains("3 items: 1 encoded, 2 unchanged", await RunAsync(ExitCode.Success, arguments), StringComparison.Ordinal);
        string third = await RunAsync(ExitCode.Success, [.. arguments, "--send"]);
        Assert.Contains("3 unchanged", third, StringComparison.Ordinal);
        Assert.Contains("sent 1 records to items", third, StringComparison.Ordinal);
        Assert.Equal(["a", "b", "c"], Consume().Select(static record => record.ItemId));

        string wrong = await RunAsync(ExitCode.Configuration, [.. arguments, "--send"], ("STREAMING__Model__FeatureGroups", "text:256"));
        Assert.Contains("has text:256, and --send would send text:384; allowed: the same length", wrong, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Encode_ItemColumns_NamesTheFieldsOfOtherFiles()
    {
        (string model, string vocabulary) = PackagedModels.WriteMiniLM(_files.Path("."));
        string items = _files.Write("products.csv", "sku,name,maker\na,Red lamp,Acme\n");
        string output = _files.Path("encoded.jsonl");
        string[] arguments = ["--items", items, "--output", output, "--text-model", model, "--text-vocabulary", vocabulary];

        await RunAsync(ExitCode.Success, [.. arguments, "--item-columns", "item=sku,title=name,brand=maker"]);
        var record = JsonElement.Parse(Assert.Single(File.ReadAllLines(output)));
        Assert.Equal("a", record.GetProperty("item_id").GetString());
        Assert.Equal("Red lamp", record.GetProperty("text").GetProperty("title").GetString());
        Assert.Equal("Acme", record.GetProperty("text").GetProperty("brand").GetString());
        Assert.Equal(384, record.GetProperty("features").GetProperty("text").GetArrayLength());

        string wrong = await RunAsync(ExitCode.BadInput, [.. arguments, "--item-columns", "item=sku,title=nmae"]);
        Assert.Contains("products.csv: line 1: there is no column 'nmae'; the file has sku, name, maker", wrong, StringComparison.Ordinal);
        Assert.Contains(
            "--item-columns: 'title=name' lacks the item; add item=….",
            await RunAsync(ExitCode.Usage, [.. arguments, "--item-columns", "title=name"]),
            StringComparison.Ordinal
        );
    }

    [Fact]
    public async Task Encode_NoBroker_KeepsWhatIsEncodedAndNamesTheBroker()
    {
        (string model, string vocabulary) = PackagedModels.WriteMiniLM(_files.Path("."));
        string items = _files.Write("items.csv", "item,title\na,Lamp\n");
        _broker.Dispose();

        string output = await RunAsync(
            ExitCode.Unavailable,
            ["--items", items, "--output", _files.Path("out"), "--text-model", model, "--text-vocabulary", vocabulary, "--send"]
        );

        Assert.Contains($"no answer from Kafka at {_broker.BootstrapServers}", output, StringComparison.Ordinal);
        Assert.Matches(@"\d+ records of topic 'items' wait", output);
        Assert.Single(File.ReadAllLines(_files.Path("out")));
    }

    [Fact]
    public async Task Encode_WrongInput_NamesItAndWhatIsAllowed()
    {
        string items = _files.Write("items.csv", "item,title\na,Lamp\n");
        string other = _files.Write("other.onnx", "no model");
        string[] paths = ["--items", items, "--output", _files.Path("out")];

        Assert.Contains(
            "there is no model; give --text-model, --image-model or both",
            await RunAsync(ExitCode.Configuration, paths),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "--text-model and --text-vocabulary go together",
            await RunAsync(ExitCode.Configuration, [.. paths, "--text-model", other]),
            StringComparison.Ordinal
        );
        Assert.Contains(
            $"{other} is not a model that ONNX Runtime",
            await RunAsync(ExitCode.BadInput, [.. paths, "--image-model", other, "--image", "title"]),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "no-such.onnx: the model file does not exist",
            await RunAsync(ExitCode.NoInput, [.. paths, "--image-model", "no-such.onnx", "--image", "title"]),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "--image-size is 8; allowed: 16 … 1024",
            await RunAsync(ExitCode.Usage, [.. paths, "--image-model", other, "--image-size", "8"]),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "--text-group is 'a:b'; allowed: 1 to 64 letters",
            await RunAsync(ExitCode.Configuration, [.. paths, "--image-model", other, "--text-group", "a:b"]),
            StringComparison.Ordinal
        );
        Assert.Contains(
            "--output is '/no/such/out', which cannot be written",
            await RunAsync(ExitCode.Configuration, ["--items", items, "--output", "/no/such/out", "--image-model", other]),
            StringComparison.Ordinal
        );
        Assert.False(File.Exists(_files.Path("out")));
    }

    private async Task<string> RunAsync(ExitCode expected, string[] arguments, params (string Name, string Value)[] settings)
    {
        var variables = new Dictionary<string, string> { ["STREAMING__Kafka__BootstrapServers"] = _broker.BootstrapServers };
        foreach ((string name, string value) in settings)
        {
            variables[name] = value;
        }

        using var process = StreamingProcess.Start(["encode", .. arguments], variables);
        int code = await process.WaitForExitAsync();
        Assert.True(code == (int)expected, $"exit code {code}: {process.Output}");
        return process.Output;
    }

    private ItemChange[] Consume()
    {
        using IConsumer<byte[], byte[]> consumer = new ConsumerBuilder<byte[], byte[]>(
            new ConsumerConfig
            {
                BootstrapServers = _broker.BootstrapServers,
                GroupId = "reader",
                EnablePartitionEof = true,
            }
        ).Build();
        consumer.Assign([new TopicPartitionOffset("items", 0, Offset.Beginning)]);
        var decoder = new ItemDecoder(RecordFormat.Protobuf, 1 << 20, new ItemLimits());
        List<ItemChange> changes = [];
        while (consumer.Consume(TimeSpan.FromSeconds(30)) is { IsPartitionEOF: false } record)
        {
            Assert.Equal(
                DeadLetterReason.None,
                decoder.Decode(record.Message.Key, record.Message.Value, isTombstone: false, 1, out ItemChange? change)
            );
            Assert.Equal(change!.ItemId, Encoding.UTF8.GetString(record.Message.Key));
            changes.Add(change);
        }

        return [.. changes];
    }
}
