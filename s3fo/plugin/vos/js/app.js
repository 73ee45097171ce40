/* What runs in the browser: operators and a part of panels, for what Python cannot ask
 * FiftyOne's App for.
 *
 * FiftyOne 1.22's operator set_frame_number does not reach the player of mp4 files, so
 * `show_frame` opens a video (or keeps it open), chooses the fields and the labels that
 * are seen in it, and moves the player. Nothing is written to the dataset, and the grid
 * stays as it was.
 */
(() => {
  const { Operator, OperatorConfig, executeOperator, registerOperator, usePanelEvent } = window.__foo__;
  const {
    activeFields, extendedStages, filters, mediaFields, modalFilters, modalLooker, modalSelector,
    selectedMediaField, sidebarGroupsDefinition, view, viewName,
  } = window.__fos__;
  const { PluginComponentType, registerComponent } = window.__fop__;
  const { usePanelId } = window.__fosp__;
  const { useEffect, useRef } = window.React;
  const { useRecoilCallback, useRecoilValueLoadable } = window.recoil;

  const PLUGIN = "@s3fo/vos";
  const PATIENCE = 60_000; // milliseconds until a video that does not load is given up
  const PAUSE = 50; // milliseconds between two looks at the page
  const WATCH = 5_000; // milliseconds that the player must stay where it was moved to
  const TOUCHES = ["pointerdown", "keydown", "wheel"]; // by which a person takes over
  const VIDEO_TAB = '[data-cy="panel-tab-fo-sample-modal-plugin"]';
  const VIDEO = '[data-cy="modal-looker-container"]'; // there while its tab is open
  const TIME = '[data-testid="timeline-playhead-time"]';

  const pause = () => new Promise((done) => setTimeout(done, PAUSE));

  /* Poll until `ready` holds; false once the patience is over. */
  async function until(ready) {
    for (const end = Date.now() + PATIENCE; Date.now() < end; ) {
      if (ready()) return true;
      await pause();
    }
    return false;
  }

  /* The player's time line takes orders once it knows how long the video is. */
  function hasLength() {
    const time = document.querySelector(TIME)?.textContent;
    return time && !/\/\s*[0:.]*$/.test(time);
  }

  /* Whether the time line stands elsewhere: it misses moves while it is being set up. */
  function standsElsewhere(frame, rate) {
    const time = document.querySelector(TIME)?.textContent;
    const [, minutes, seconds] = time?.match(/^\s*(\d+):(\d+\.\d+)/) ?? [];
    const wanted = (frame - 1) / rate;
    return seconds && Math.abs(60 * minutes + Number(seconds) - wanted) > 1 / rate;
  }

  class ShowFrame extends Operator {
    get config() {
      return new OperatorConfig({
        name: "show_frame",
        label: "Show a frame of a video",
        unlisted: true,
      });
    }

    useHooks() {
      const read = (atom) =>
        useRecoilCallback(({ snapshot }) => () => snapshot.getLoadable(atom).valueMaybe());
      return {
        player: read(modalLooker),
        opened: read(modalSelector),
        stages: read(view),
        dress: useRecoilCallback(({ set }) => (fields, filters) => {
          if (fields) set(activeFields({ modal: true }), fields);
          if (filters) set(modalFilters, filters);
        }),
      };
    }

    /* params: id and frame; fields and filters, where they change; stages, where the
     * present view lacks the video and gives way to the view of so many stages. */
    async execute({ hooks, params }) {
      const { id, frame, fields, filters, stages } = params;
      const shown = () => (hooks.stages()?.length ?? 0) === stages;
      if (stages != null && !(await until(shown))) return;
      const player = () => {
        const looker = hooks.player();
        return looker?.state?.config?.sampleId === id ? looker : undefined;
      };
      // The grid's too: what it shows is how panels learn which method is looked at.
      if (fields) await executeOperator("set_active_fields", { fields });
      if (hooks.opened()?.id !== id) await executeOperator("open_sample", { id });
      hooks.dress(fields, filters);
      // Behind another tab FiftyOne still knows a player, which is gone.
      await until(() => {
        const seen = document.querySelector(VIDEO);
        if (!seen) document.querySelector(VIDEO_TAB)?.click();
        return seen && player()?.state.loaded;
      });
      if (player() && !player().seekToFrame) {
        await executeOperator("set_frame_number", { frame_number: frame });
        return;
      }
      await until(hasLength);
      await this.move(player, frame, () => hooks.opened()?.id === id);
    }

    /* Move the player, and again while it still loads and begins anew: on a busy
     * machine seconds later. Ends as soon as a person does anything. */
    async move(player, frame, isOpen) {
      let touched = false;
      const touch = () => (touched = true);
      for (const kind of TOUCHES) addEventListener(kind, touch, true);
      const end = Date.now() + PATIENCE;
      let still = Date.now();
      while (!touched && isOpen() && Date.now() < Math.min(end, still + WATCH)) {
        const looker = player();
        if (!looker) {
          still = Date.now();
          await pause();
          continue;
        }
        const lost = standsElsewhere(frame, looker.state.config.frameRate);
        if (looker.frameNumber !== frame || looker.state.playing || lost) {
          looker.pause();
          if (looker.frameNumber === frame) looker.seekToFrame(frame > 1 ? frame - 1 : 2);
          await pause();
          looker.seekToFrame(frame);
          still = Date.now();
        }
        await pause();
      }
      for (const kind of TOUCHES) removeEventListener(kind, touch, true);
    }
  }

  class CopyText extends Operator {
    get config() {
      return new OperatorConfig({ name: "copy_text", label: "Copy text", unlisted: true });
    }

    /* params: text */
    async execute({ params }) {
      await navigator.clipboard.writeText(params.text);
      await executeOperator("notify", { message: "Copied", variant: "success" });
    }
  }

  class OpenLink extends Operator {
    get config() {
      return new OperatorConfig({ name: "open_link", label: "Open a link", unlisted: true });
    }

    /* params: link, opened in a new tab: the App stays as it is. */
    async execute({ params }) {
      window.open(params.link, "_blank", "noopener");
    }
  }

  class CloseResult extends Operator {
    get config() {
      return new OperatorConfig({
        name: "close_result",
        label: "Close the window of a result",
        unlisted: true,
      });
    }

    /* FiftyOne has no operator for it: press the window's own button. */
    async execute() {
      for (const button of document.querySelectorAll('[role="dialog"] button'))
        if (button.textContent.trim() === "Done") button.click();
    }
  }

  class RestoreSidebar extends Operator {
    get config() {
      return new OperatorConfig({
        name: "restore_sidebar",
        label: "Restore the groups of the sidebar",
        unlisted: true,
      });
    }

    useHooks() {
      return {
        stages: useRecoilCallback(
          ({ snapshot }) => () => snapshot.getLoadable(view).valueMaybe(),
        ),
        set: useRecoilCallback(({ set }) => (groups) =>
          set(sidebarGroupsDefinition(false), groups),
        ),
      };
    }

    /* params: groups (name, paths, expanded) and stages, of the view that is awaited.
     * A view of clips takes the fields that clips lack out of the groups, for good. */
    async execute({ hooks, params }) {
      await until(() => (hooks.stages()?.length ?? 0) === params.stages);
      hooks.set(params.groups);
    }
  }

  /* A part of a panel that shows nothing, but calls the panel's `on_change` where the
   * grid comes to show something else. FiftyOne's own event (on_change_view) comes three
   * times after every answer of a panel, whatever the grid shows. */
  function FollowGrid({ schema }) {
    const trigger = usePanelEvent();
    const panel = usePanelId();
    const shown = [view, viewName, filters, extendedStages]
      .map((part) => useRecoilValueLoadable(part))
      .map((part) => (part.state === "hasValue" ? part.contents ?? null : undefined));
    const now = shown.includes(undefined) ? null : JSON.stringify(shown);
    const before = useRef(now);
    useEffect(() => {
      if (now === null || now === before.current) return;
      if (before.current !== null) trigger(panel, { operator: schema.view.on_change, params: {} });
      before.current = now;
    }, [now]);
    return null;
  }

  registerComponent({
    name: "FollowGrid",
    label: "Follow the grid",
    component: FollowGrid,
    type: PluginComponentType.Component,
    activator: () => true,
  });

  class ShowMedia extends Operator {
    get config() {
      return new OperatorConfig({
        name: "show_media",
        label: "Show a media field in the grid",
        unlisted: true,
      });
    }

    useHooks() {
      return {
        known: useRecoilCallback(
          ({ snapshot }) => () => snapshot.getLoadable(mediaFields).valueMaybe(),
        ),
        choose: useRecoilCallback(({ set }) => (field) =>
          set(selectedMediaField(false), field),
        ),
      };
    }

    /* params: field, a media field of the dataset; the App knows a new one only once
     * it has read the dataset again. Of this page alone, nothing is written. */
    async execute({ hooks, params }) {
      await until(() => hooks.known()?.includes(params.field));
      hooks.choose(params.field);
    }
  }

  registerOperator(ShowMedia, PLUGIN);
  registerOperator(RestoreSidebar, PLUGIN);
  registerOperator(ShowFrame, PLUGIN);
  registerOperator(OpenLink, PLUGIN);
  registerOperator(CloseResult, PLUGIN);
  registerOperator(CopyText, PLUGIN);
})();
