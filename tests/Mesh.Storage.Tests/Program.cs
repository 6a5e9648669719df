using Mesh.Storage.Tests;
using Mesh.Storage.Tests.Killed;
using Xunit.MicrosoftTestingPlatform;
using Xunit.Runner.InProc.SystemConsole;

// Started by KilledWriterTests with "writer DIRECTORY"; by everyone else as a test program.
return args is [Writer.Argument, var directory]
    ? await Writer.RunAsync(directory)
    : args.Contains("--server")
        ? await TestPlatformTestFramework.RunAsync(args, SelfRegisteredExtensions.AddSelfRegisteredExtensions)
        : await ConsoleRunner.Run(args);
