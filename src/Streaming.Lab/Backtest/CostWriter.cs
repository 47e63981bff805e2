using System.Globalization;
using System.Text.Json;

namespace Streaming.Lab.Backtest;

/// <summary>Writes what models take.</summary>
internal static class CostWriter
{
    /// <summary>Writes it as the property "costs" of a JSON object.</summary>
    public static void Write(Utf8JsonWriter json, IReadOnlyList<ModelCost> costs)
    {
        json.WriteStartArray("costs");
        foreach (ModelCost cost in costs)
        {
            json.WriteStartObject();
            json.WriteString("model", cost.Model);
            json.WriteBoolean("alone", cost.IsSingleWidth);
            json.WriteStartArray("widths");
            foreach (int width in cost.Widths)
            {
                json.WriteNumberValue(width);
            }

            json.WriteEndArray();
            json.WriteNumber("parameters", cost.Parameters);
            json.WriteNumber("checkpointBytes", cost.CheckpointBytes);
            json.WriteNumber("storeBytes", cost.StoreBytes);
            json.WriteNumber("processorSeconds", Math.Round(cost.ProcessorSeconds, 6));
            json.WriteNumber("steps", cost.Steps);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>One row per model.</summary>
    public static List<string[]> Table(IReadOnlyList<ModelCost> costs) =>
        [
            ["model", "widths", "parameters", "checkpoint MB", "Redis MB", "processor s", "steps"],
            .. costs.Select(static cost =>
                (string[])
                    [
                        cost.Model,
                        string.Join(',', cost.Widths),
                        cost.Parameters.ToString(CultureInfo.InvariantCulture),
                        Format(cost.CheckpointBytes / 1e6, "F2"),
                        Format(cost.StoreBytes / 1e6, "F2"),
                        Format(cost.ProcessorSeconds, "F1"),
                        Format(cost.Steps, "F0"),
                    ]
            ),
        ];

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
