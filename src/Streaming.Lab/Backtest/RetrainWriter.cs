using System.Globalization;
using System.Text.Json;
using Streaming.Core.Options;

namespace Streaming.Lab.Backtest;

/// <summary>Writes the comparison with scheduled training.</summary>
internal static class RetrainWriter
{
    /// <summary>Writes it as the property "retraining" of a JSON object.</summary>
    public static void Write(Utf8JsonWriter json, RetrainReport report)
    {
        json.WriteStartObject("retraining");
        json.WriteString("every", OptionText.Format(report.Every));
        json.WriteNumber("trainings", report.Trainings);
        json.WriteNumber("cutoff", report.Cutoff);
        json.WriteStartArray("models");
        foreach (RetrainReport.Arm arm in report.Arms)
        {
            json.WriteStartObject();
            json.WriteString("model", arm.Model);
            json.WriteString("training", arm.Training);
            json.WriteNumber("processorSeconds", Math.Round(arm.ProcessorSeconds, 6));
            json.WriteStartArray("daysSinceTraining");
            foreach (RetrainReport.Day day in arm.Days)
            {
                json.WriteStartObject();
                json.WriteNumber("cases", day.Cases);
                json.WriteNumber("newItemCases", day.NewItemCases);
                json.WriteNumber("recall", Math.Round(day.Recall, 6));
                json.WriteNumber("newItemRecall", Math.Round(day.NewItemRecall, 6));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>One column per model: processor time of training, then recall of new items by days since the last training.</summary>
    public static List<string[]> Table(RetrainReport report) =>
        [
            [$"R@{report.Cutoff} of new items, days after training", "examples", .. report.Arms.Select(static arm => arm.Model)],
            .. Enumerable
                .Range(0, report.Arms[0].Days.Count)
                .Where(day => report.Arms[0].Days[day].NewItemCases > 0)
                .Select(day =>
                    (string[])
                        [
                            day.ToString(CultureInfo.InvariantCulture),
                            report.Arms[0].Days[day].NewItemCases.ToString(CultureInfo.InvariantCulture),
                            .. report.Arms.Select(arm => arm.Days[day].NewItemRecall.ToString("F4", CultureInfo.InvariantCulture)),
                        ]
                ),
            ["training", "", .. report.Arms.Select(static arm => arm.Training)],
            [
                "processor seconds of training",
                "",
                .. report.Arms.Select(static arm => arm.ProcessorSeconds.ToString("F1", CultureInfo.InvariantCulture)),
            ],
        ];
}
