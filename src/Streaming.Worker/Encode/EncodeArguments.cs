using System.CommandLine;
using Streaming.Encoders.Catalogues;
using Streaming.Encoders.Pictures;
using Streaming.Encoders.Texts;
using Streaming.Worker.Catalogues;
using Streaming.Worker.Failures;

namespace Streaming.Worker.Encode;

/// <summary>The command-line options of an encoder.</summary>
internal sealed class EncodeArguments
{
    private readonly Option<string[]> _items = new("--items")
    {
        Description = "Item files: CSV (item,title,…), JSON lines, Parquet or Avro. Of an item in several records the last counts.",
        AllowMultipleArgumentsPerToken = true,
        Required = true,
        HelpName = "FILE",
    };

    private readonly ItemColumns _columns;
    private readonly Option<string> _output = new("--output")
    {
        Description = "File to write: JSON lines, as schemas/item.schema.json. One that this command wrote is continued.",
        Required = true,
        HelpName = "FILE",
    };

    private readonly Option<string> _text = Default("--text", "Text fields to encode, joined by +.", "title", "FIELD+…");
    private readonly Option<string?> _textModel = File(
        "--text-model",
        "ONNX file of a BERT-like sentence encoder: inputs input_ids, attention_mask, token_type_ids."
    );

    private readonly Option<string?> _vocabulary = File("--text-vocabulary", "WordPiece vocabulary of that model: vocab.txt.");
    private readonly Option<string> _pooling = Default(
            "--text-pooling",
            "How the vectors of tokens become one: mean (all-MiniLM, E5), first (BGE, Arctic Embed).",
            "mean",
            "NAME"
        )
        .AcceptOnlyFromAmong("mean", "first");

    private readonly Option<int> _tokens = Number(
        "--text-tokens",
        "Tokens of a text that are read; the rest is left out.",
        128,
        TextEncoderOptions.FewestTokens,
        TextEncoderOptions.MostTokens
    );

    private readonly Option<string?> _textOutput = File("--text-output", "Output of the text model. Default: its first of floats.");
    private readonly Option<string> _textGroup = Default("--text-group", "Name of the feature group of text.", "text", "NAME");
    private readonly Option<string> _picture = Default("--image", "Field with the path of an item's picture.", "image", "FIELD");
    private readonly Option<string?> _folder = File(
        "--images",
        "Folder of the pictures: paths lead nowhere else. Default: that of the first item file."
    );

    private readonly Option<string?> _pictureModel = File(
        "--image-model",
        "ONNX file of a picture encoder with one input: pictures × 3 × height × width."
    );

    private readonly Option<string> _pixels = Default(
            "--image-pixels",
            "How the model wants pixels: torch (RGB by the mean and deviation of ImageNet), clip, tf (RGB, -1 … 1), caffe (BGR, 0 … 255 "
                + "less the mean).",
            "torch",
            "NAME"
        )
        .AcceptOnlyFromAmong([.. PixelScale.All.Select(static scale => scale.Name)]);

    private readonly Option<int> _size = Number(
        "--image-size",
        "Height and width of pictures where the model leaves them open.",
        224,
        PictureEncoderOptions.SmallestSize,
        PictureEncoderOptions.LargestSize
    );

    private readonly Option<string?> _pictureOutput = File("--image-output", "Output of the picture model. Default: its first of floats.");
    private readonly Option<string> _pictureGroup = Default("--image-group", "Name of the feature group of pictures.", "image", "NAME");
    private readonly Option<int> _batch = Number("--batch", "Items that are encoded at once.", 32, 1, 1024);
    private readonly Option<int> _threads = Number("--threads", "Number of threads; 0: one per processor.", 0, 0, 1024);

    /// <summary>Creates the options.</summary>
    public EncodeArguments() => _columns = new ItemColumns(_items);

    /// <summary>Adds the options to a command.</summary>
    public void AddTo(Command command)
    {
        foreach (
            Option option in (Option[])
                [
                    _items,
                    _columns.Option,
                    _output,
                    _text,
                    _textModel,
                    _vocabulary,
                    _pooling,
                    _tokens,
                    _textOutput,
                    _textGroup,
                    _picture,
                    _folder,
                    _pictureModel,
                    _pixels,
                    _size,
                    _pictureOutput,
                    _pictureGroup,
                    _batch,
                    _threads,
                ]
        )
        {
            command.Add(option);
        }
    }

    /// <summary>Reads the parsed values.</summary>
    /// <exception cref="SettingsException">Options do not go together.</exception>
    public EncodeOptions Read(ParseResult result)
    {
        string[] items = result.GetValue(_items)!;
        string[] fields = result.GetValue(_text)!.Split('+', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        string? text = result.GetValue(_textModel);
        string? vocabulary = result.GetValue(_vocabulary);
        string? picture = result.GetValue(_pictureModel);
        string[] errors =
        [
            .. text is null && picture is null ? ["there is no model; give --text-model, --image-model or both."] : Array.Empty<string>(),
            .. text is null == (vocabulary is null) ? [] : (string[])["--text-model and --text-vocabulary go together; one is missing."],
            .. fields.Length > 0 ? [] : (string[])["--text names no field; allowed: names joined by +."],
            .. result.GetValue(_textGroup) == result.GetValue(_pictureGroup)
                ? (string[])["--text-group and --image-group are the same; allowed: two names."]
                : [],
            .. WrongName(_textGroup, result),
            .. WrongName(_pictureGroup, result),
        ];
        if (errors.Length > 0)
        {
            throw new SettingsException(errors);
        }

        return new EncodeOptions
        {
            Items = items,
            ItemColumns = _columns.Read(result),
            Output = result.GetValue(_output)!,
            TextFields = fields,
            TextGroup = result.GetValue(_textGroup)!,
            Text = text is null
                ? null
                : new TextEncoderOptions
                {
                    Model = text,
                    Vocabulary = vocabulary!,
                    Output = result.GetValue(_textOutput),
                    Pooling = Enum.Parse<TextPooling>(result.GetValue(_pooling)!, ignoreCase: true),
                    MaxTokens = result.GetValue(_tokens),
                },
            PictureField = result.GetValue(_picture)!,
            PictureFolder = result.GetValue(_folder) ?? Path.GetDirectoryName(Path.GetFullPath(items[0]))!,
            PictureGroup = result.GetValue(_pictureGroup)!,
            Picture = picture is null
                ? null
                : new PictureEncoderOptions
                {
                    Model = picture,
                    Output = result.GetValue(_pictureOutput),
                    Pixels = PixelScale.All.First(scale => scale.Name == result.GetValue(_pixels)),
                    Size = result.GetValue(_size),
                },
            Batch = result.GetValue(_batch),
            Threads = result.GetValue(_threads) is var threads and > 0 ? threads : Environment.ProcessorCount,
        };
    }

    private static string[] WrongName(Option<string> option, ParseResult result) =>
        result.GetValue(option) is { Length: > 0 and <= 64 } name
        && name.All(static c => char.IsAsciiLetterOrDigit(c) || c is '_' or '-' or '.')
            ? []
            : [$"{option.Name} is '{result.GetValue(option)}'; allowed: 1 to 64 letters, digits, '_', '-' and '.'."];

    private static Option<string> Default(string name, string description, string value, string shown) =>
        new(name)
        {
            Description = description,
            DefaultValueFactory = _ => value,
            HelpName = shown,
        };

    private static Option<string?> File(string name, string description) => new(name) { Description = description };

    private static Option<int> Number(string name, string description, int value, int least, int most)
    {
        var option = new Option<int>(name)
        {
            Description = $"{description} {least} … {most}.",
            DefaultValueFactory = _ => value,
            HelpName = "N",
        };
        option.Validators.Add(result =>
        {
            if (result.GetValue(option) < least || result.GetValue(option) > most)
            {
                result.AddError($"{name} is {result.GetValue(option)}; allowed: {least} … {most}.");
            }
        });
        return option;
    }
}
