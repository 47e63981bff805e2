namespace Streaming.Lab.Simulation;

/// <summary>Titles of simulated items: the noun identifies the cluster, which shows whether neighbours belong together.</summary>
internal static class SimulatedNames
{
    private static readonly string[] Colours =
    [
        "amber",
        "azure",
        "black",
        "coral",
        "cream",
        "green",
        "ivory",
        "jade",
        "navy",
        "olive",
        "plum",
        "red",
        "rose",
        "silver",
        "teal",
        "white",
    ];

    private static readonly string[] Nouns =
    [
        "lamp",
        "teapot",
        "notebook",
        "scarf",
        "kettle",
        "puzzle",
        "candle",
        "backpack",
        "mug",
        "clock",
        "blanket",
        "vase",
        "wallet",
        "umbrella",
        "cushion",
        "bottle",
        "poster",
        "watch",
        "tray",
        "basket",
        "mirror",
        "bowl",
        "knife",
        "pillow",
        "guitar",
        "tent",
        "shelf",
        "ladder",
        "drill",
        "paint",
        "seed",
        "spade",
        "helmet",
        "racket",
        "glove",
        "boot",
        "belt",
        "ring",
        "brush",
        "soap",
        "towel",
        "curtain",
        "rug",
        "chair",
        "desk",
        "globe",
        "kite",
        "drum",
        "flute",
        "radio",
    ];

    /// <summary>Returns the title of an item, by cluster and number.</summary>
    public static string Title(int cluster, int number)
    {
        string noun = Nouns[cluster % Nouns.Length];
        int line = cluster / Nouns.Length;
        return $"{Colours[number % Colours.Length]} {noun}{(line > 0 ? $" {(char)('A' + line)}" : string.Empty)} no. {number + 1}";
    }

    /// <summary>Returns a title that does not tell the cluster.</summary>
    public static string PlainTitle(int number) => $"{Colours[number % Colours.Length]} article no. {number + 1}";
}
