using System.Collections;
using System.Diagnostics;
using Mesh.Hosting.Files;
using Mesh.Hosting.Options;
using Mesh.Hosting.Processes;
using Mesh.Silo.Nodes;

namespace Mesh.Silo;

/// <summary>The command <c>mesh-silo</c>: what its arguments ask for, and its exit code.</summary>
internal static class SiloProgram
{
    private const string Purpose = "mesh-silo: the control plane of Mesh on this machine; it also starts mesh-node, which carries the traffic.";

    public static async Task<int> RunAsync(string[] arguments, IDictionary environment)
    {
        try
        {
            switch (OptionsParser.Parse(arguments, environment, Environment.MachineName, OptionTable.Silo))
            {
                case OptionsOutcome.Help:
                    Console.WriteLine(HelpText.For("mesh-silo", Purpose, OptionTable.Silo));
                    return ExitCode.Done;
                case OptionsOutcome.Version:
                    Console.WriteLine($"mesh-silo {HelpText.Version}");
                    return ExitCode.Done;
                case OptionsOutcome.Refused refused:
                    return Refuse(refused.Line);
                case OptionsOutcome.Stop stop:
                    return await StopCommand.RunAsync(stop.DataDir, Console.Out, TimeProvider.System);
                case OptionsOutcome.Run run:
                    using (var signals = new ShutdownSignals(() => NodeSupervisor.Kill(DataDirectory.Of(run.Options.DataDir))))
                    {
                        return await SiloProcess.RunAsync(run.Options, environment, signals.Requested);
                    }

                default:
                    throw new UnreachableException();
            }
        }
        catch (StartRefusedException refused)
        {
            return Refuse(refused.Message);
        }
    }

    private static int Refuse(string line)
    {
        Console.Error.WriteLine("mesh-silo: " + line.ReplaceLineEndings(" "));
        return ExitCode.Refused;
    }
}
